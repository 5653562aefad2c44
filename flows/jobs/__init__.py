"""The jobs as plain functions, and the report of a run."""
