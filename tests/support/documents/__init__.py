"""The documentation's commands, and a checkout to run them in."""
