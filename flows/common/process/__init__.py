"""A process: its clock and stopwatch, its progress, and signals that end it."""
