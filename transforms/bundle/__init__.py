"""A record from its number to its signed bundle, and the merge of its events and of its copies."""
