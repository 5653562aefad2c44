"""Bundles of every kind: signed, forged, bad, and the vectors made of them."""
