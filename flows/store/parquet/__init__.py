"""The tables: their schemas, their shards, writing and reading them."""
