"""The pace of requests to a server, kept by all processes that share a lock file."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from flows.common.errors import ConfigError


class Pace:
    """At least `seconds` from the end of one request to the start of the next, in any process.

    All that share `lock_file` wait for each other; beside it lies a file with the time of the last
    request (Unix time as text). An instance can be shared by threads.
    """

    def __init__(self, lock_file: Path, seconds: float) -> None:
        """Touch nothing yet; the files and their folder are made at the first turn."""
        self.seconds = seconds
        self._file = lock_file
        self._last = lock_file.with_name(f"{lock_file.name}.last")
        self._lock = FileLock(lock_file)

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait until the next request is due, and hold the lock while the block makes it.

        A signal such as Ctrl-C ends the wait. Raises `ConfigError` where the files cannot be kept.
        """
        # The wait is spent without the lock: who held it while waiting would be first every time.
        while (wait := self._take()) > 0:
            time.sleep(wait)
        try:
            yield
        finally:
            try:
                self._note(time.time())
            finally:
                self._lock.release()

    def _take(self) -> float:
        """Take the lock, and keep it if the next request is due, else return how long to wait."""
        with self._explained():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
        try:
            wait = self._remaining()
            if wait <= 0:
                # Noted again at the end; this one counts if the process is killed before.
                self._note(time.time())
        except BaseException:
            self._lock.release()
            raise
        if wait > 0:
            self._lock.release()
        return wait

    def _remaining(self) -> float:
        now = time.time()
        if not self._last.exists():
            return 0.0
        try:
            with self._explained():
                elapsed = now - float(self._last.read_text(encoding="ascii"))
        except ValueError:
            elapsed = -1.0
        if not elapsed >= 0:
            # Not a time, or one to come because the clock was set back: count from now.
            self._note(now)
            elapsed = 0.0
        return self.seconds - elapsed

    def _note(self, now: float) -> None:
        with self._explained():
            self._last.write_text(repr(now), encoding="ascii")

    @contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise ConfigError(
                f"cannot keep the pace of requests in {self._file}: {error.strerror}; "
                "see to it that its folder can be written"
            ) from None
