"""Keeping what runs make: raw replies, Parquet shards, the catalog, bundle files.

The shard is the store, the catalog's commit is the moment of truth, the bundle files are derived.
Order: shard to a temporary name, fsync, rename; catalog transaction; bundle files.
"""
