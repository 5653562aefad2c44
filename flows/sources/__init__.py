"""Where papers come from: one class per source, listed in `registry`.

A new source is a module with a class like `source.Source`, its entry in `registry.SOURCES`, its
option as a field of `source.BackfillOptions` (and of the flow's form), and its tests.
"""
