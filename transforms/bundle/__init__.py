"""A record from its number to its signed bundle and its rows."""
