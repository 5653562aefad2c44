"""Opening what lies in a folder, where a name says nothing of what it is."""

import errno
import os
import stat
from pathlib import Path


def open_regular(path: Path) -> int:
    """Return the descriptor of a file opened for reading.

    Raises `OSError`, for a pipe or a device too: to open or to read one may wait for ever.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        return descriptor
    os.close(descriptor)
    raise OSError(errno.EINVAL, "not a regular file")
