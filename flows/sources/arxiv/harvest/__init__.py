"""Harvests that prove that they are complete."""
