"""Checking whether a data folder is whole, and mending it."""
