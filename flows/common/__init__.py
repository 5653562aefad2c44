"""What every other folder may use: configuration, keys, errors, the terminal."""
