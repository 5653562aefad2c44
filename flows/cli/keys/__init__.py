"""Commands on keys: keygen makes the one that signs, trust keeps those of others."""
