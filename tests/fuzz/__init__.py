"""Attacks that take their time: fuzzing, and a campaign against bundles."""
