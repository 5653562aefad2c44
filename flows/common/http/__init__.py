"""Asking a server over HTTP: paced, bounded in time and size, and again when it fails."""
