"""Canonical JSON and text, strict JSON and timestamps: how values become bytes."""
