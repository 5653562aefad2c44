"""The command `init`: a configuration and a key for a new registry."""
