"""Used by every other folder: configuration, keys, errors, limits, the terminal."""
