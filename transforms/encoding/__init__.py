"""Canonical JSON and text, strict JSON, digests and timestamps: how values become bytes."""
