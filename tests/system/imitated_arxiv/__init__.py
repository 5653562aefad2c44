"""Tests of the imitated arXiv; a package, so that mypy tells its fixtures from all tests'."""
