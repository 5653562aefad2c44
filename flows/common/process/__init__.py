"""A process: its clock and stopwatch, its progress, signals that end it, its exit status."""
