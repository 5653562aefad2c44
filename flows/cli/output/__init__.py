"""How every command answers: for a person, in a pipe, or as one JSON document.

A command makes a document, of a type of its own, and the blocks that say the same to a person:
`answer` in `answer.py` shows one of them. `help.py` is what `--help` says.
"""
