"""The script that anyone would write first, to be compared with."""
