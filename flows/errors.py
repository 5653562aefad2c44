"""Errors that a user can act on; the command line prints them as one sentence."""


class PithError(Exception):
    """What went wrong and what to try, in one sentence; ends a command with `exit_status`."""

    exit_status = 2


class ConfigError(PithError):
    """The configuration, the key or the arguments cannot be used."""


class StoreError(PithError):
    """The data folder cannot be used: no rights, no space, locked, damaged or too new."""


class SnapshotError(PithError):
    """A snapshot file cannot be read, or not to its end."""
