"""The processes that serve: bound to one socket, started again where one ends, stopped in order."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from multiprocessing.context import SpawnProcess
from time import monotonic

Say = Callable[[str], None]

_SPAWN = multiprocessing.get_context("spawn")
_YOUNG_SECONDS = 5.0
"""A worker that ends sooner, and was not killed, would end again."""


@dataclass(slots=True)
class Workers:
    """`count` processes that each run `target` with `arguments`, until one is to stop.

    A process that ends by itself is replaced; where it was young the service gives up.
    """

    target: Callable[..., None]
    arguments: tuple[object, ...]
    count: int
    say: Say
    stop_seconds: float
    _running: dict[int, tuple[SpawnProcess, float]] = field(default_factory=dict)

    def run(self) -> bool:
        """Serve until SIGINT or SIGTERM, and return whether it was one that ended it."""
        with _stopping() as stopping:
            try:
                while len(self._running) < self.count:
                    self._start()
                while True:
                    ended = wait([stopping, *self._running])
                    if stopping in ended:
                        return True
                    if not all(self._replace(one) for one in ended if isinstance(one, int)):
                        return False
            finally:
                self._stop()

    def _start(self) -> None:
        process = _SPAWN.Process(target=self.target, args=self.arguments)
        process.start()
        self._running[process.sentinel] = process, monotonic()

    def _replace(self, sentinel: int) -> bool:
        """Replace a process that ended; return False where that would not help."""
        process, since = self._running.pop(sentinel)
        process.join()
        is_killed = process.exitcode is not None and process.exitcode < 0
        if monotonic() - since < _YOUNG_SECONDS and not is_killed:
            self.say(f"a worker ended at its start (status {process.exitcode}); nothing is served")
            return False
        self.say(f"a worker ended (status {process.exitcode}), and another takes its place")
        self._start()
        return True

    def _stop(self) -> None:
        """Let every process answer what it was asked, and end those that do not in time."""
        for process, _ in self._running.values():
            process.terminate()
        until = monotonic() + self.stop_seconds
        for process, _ in self._running.values():
            process.join(max(until - monotonic(), 0))
            if process.is_alive():
                process.kill()
                process.join()


@contextmanager
def _stopping() -> Iterator[int]:
    """Yield a descriptor that can be read once SIGINT or SIGTERM has come.

    A second signal ends this process at once, and with it its workers.
    """
    read, write = os.pipe()
    os.set_blocking(write, False)
    numbers = (signal.SIGINT, signal.SIGTERM)

    def stop(*_: object) -> None:
        os.write(write, b".")
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)

    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield read
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        os.close(read)
        os.close(write)
