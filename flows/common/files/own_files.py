"""Files that say who a user is and whom that user trusts: read only if they are the user's own."""

import os
import stat
from pathlib import Path

from flows.common.errors import ConfigError

OWN_FOLDER = Path("~/.config/pith-ingest")
"""Where a user's own key and trust file lie, whatever folder a command stands in.

One place on every system and in every environment, so not platformdirs', which XDG_CONFIG_HOME
moves: a key in two places would be two keys, and a pace file in two would be no pace.
"""

READ, WRITE = 0o077, 0o022
"""What others must not be able to do with a file: read it (nor write), or write it."""

MOST_BYTES = 2**20


def read_own(file: Path, what: str, *, closed_to: int) -> bytes:
    """Return the bytes of a file that is the user's own; `what` is what errors call it.

    Raises `FileNotFoundError`; and `ConfigError` for a file of another owner, also where root could
    read it, for one that others can do `closed_to` with, for what is no file, and for more than
    1 MiB.
    """
    try:
        # Not blocking, for a pipe of that name would hold the command up for ever.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            _check(os.fstat(descriptor), file, what, closed_to)
            data = os.read(descriptor, MOST_BYTES + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise ConfigError(f"cannot read {what} {file}: {error.strerror}") from None
    if len(data) > MOST_BYTES:
        raise ConfigError(f"cannot read {what} {file}: it is larger than 1 MiB")
    return data


def _check(found: os.stat_result, file: Path, what: str, closed_to: int) -> None:
    """Check the file that was opened, not whatever has its name by now."""
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"cannot read {what} {file}: it is not a file")
    if found.st_uid != os.geteuid():
        raise ConfigError(
            f"{what} {file} belongs to another user (number {found.st_uid}); use a file of your "
            "own, or run as that user"
        )
    if stat.S_IMODE(found.st_mode) & closed_to:
        verb = "read" if closed_to == READ else "write"
        raise ConfigError(f"others can {verb} {what} {file}; mend that with: chmod 600 {file}")
