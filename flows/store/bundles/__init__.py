"""Bundles as they were signed: in the tables, and as files."""
