"""Searching by words of titles and authors: an index derived from the tables, or these themselves.

The registry's site asks the index (`query`), the command `find` the tables (`scan`).
"""
