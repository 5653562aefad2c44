"""A library of invented papers, and how it changes."""
