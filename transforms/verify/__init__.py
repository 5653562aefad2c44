"""Whether a bundle is valid, check by check."""
