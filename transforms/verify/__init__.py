"""The checks that say whether a bundle is valid."""
