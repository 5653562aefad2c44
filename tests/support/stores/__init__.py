"""Data folders under test: on an object store, of older versions, table by table."""
