"""Disasters that a machine has, not a test process: each a script for root, with its figures."""
