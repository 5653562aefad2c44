"""What users call, by what it is about: `jobs`, `kept` (what the data folder holds), `bundles`.

A command imports what it needs when it runs, for a fast start.
"""
