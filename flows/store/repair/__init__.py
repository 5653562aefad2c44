"""Whether a data folder is whole, and what mends it."""
