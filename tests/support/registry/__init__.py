"""A registry under test: its service as a process on loopback, and raw connections to it."""
