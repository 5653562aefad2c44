"""The shapes of the format's documents, each said twice, for two readers.

`record`, `event`, `state` and `bundle` have the types of what is built and signed here, and of what
was verified: plain dicts for mypy, which cost nothing at run time and check nothing. Keys stand in
the published order, hashes are hex, times are text. `checked` has the structs that a stranger's
bundle is held against; they leave open what another check compares or recomputes.
"""
