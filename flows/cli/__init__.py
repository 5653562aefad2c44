"""The commands, a module each by its name: `jobs`, `data`, `verify` and `merge`, `keys`.

A command imports what it needs when it runs, for a fast start.
"""
