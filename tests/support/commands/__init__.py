"""The command line under test: as a process, inside this one, on a terminal."""
