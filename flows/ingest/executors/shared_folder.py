"""Whether workers on other machines see the data folder, and the locks in it, as this process does.

SQLite needs the locks: a worker reads the catalog while this process writes it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.common.errors import ConfigError
from flows.store.files.local import writing

MARKER = ".shared"


@contextmanager
def marked(folder: Path, run: str) -> Iterator[None]:
    """Keep a marker in the folder that names the run, locked by this process."""
    marker = folder / MARKER
    with writing(folder):
        file = marker.open("w", encoding="ascii")
    with file:
        with writing(folder):
            fcntl.lockf(file, fcntl.LOCK_EX)
            file.write(run)
            file.flush()
            os.fsync(file.fileno())
        try:
            yield
        finally:
            marker.unlink(missing_ok=True)


def check_shared(folder: Path, run: str) -> None:
    """Raise `ConfigError` unless this process, not the one of the run, sees marker and lock."""
    try:
        with (folder / MARKER).open("r+", encoding="ascii") as file:
            is_same = file.read() == run
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        is_same = False
    except BlockingIOError:
        if is_same:
            return
    except OSError as error:
        raise ConfigError(f"cannot use the data folder {folder}: {error.strerror}") from None
    if is_same:
        raise ConfigError(
            f"does not see locks in the data folder {folder}: mount it with locks that all "
            "machines share, as NFS 4 has them"
        )
    raise ConfigError(
        f"does not see this run in the data folder {folder}: all workers need it, under this path, "
        "on a file system that they share"
    )
