"""Runs under test: in this process, under Prefect, killed."""
