"""Runs under test: in this process, as a command, under Prefect, killed."""
