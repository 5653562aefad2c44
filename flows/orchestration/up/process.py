"""One child process of `up`, in a session of its own: started, read line by line, stopped."""

import asyncio
import logging
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from flows.common.process.progress import LOGGER
from flows.common.terminal import printable

LONGEST_LINE = 4000
"""Characters of a line that are shown, and kept of one without an end; the rest is dropped."""

_TRACEBACK = "Traceback (most recent call last):"
_BETWEEN = ("The above exception was", "During handling of the above")
_SQL = ("[SQL", "[parameters", "(Background on this error")

_BLOCK = 2**16
_BETWEEN_LOOKS = 0.05
_MOMENT = 5.0
"""So long at most the kernel takes for the end of what was killed."""
_KEPT_LINES = 30
_CHILD = "flows.orchestration.up.child"


class Child:
    """A running process and its lines, which are held back until `show` is called.

    What a part says while it starts is of interest only where it does not come up.
    """

    def __init__(self, process: asyncio.subprocess.Process, tie: int, output: int) -> None:
        """Take a process, the end of the pipe that ties it to us, and what it writes to."""
        self.pid = process.pid
        self._process, self._tie, self._output = process, tie, output
        self._held: deque[str] = deque(maxlen=_KEPT_LINES)
        self._say: Callable[[str], None] = self._held.append
        self._lines = Lines()
        asyncio.get_running_loop().add_reader(output, self._read)

    @classmethod
    async def start(cls, words: Sequence[str], environment: Mapping[str, str]) -> Self:
        """Start a module with its arguments; it ends by itself when this process is gone."""
        (child_tie, tie), (output, child_output) = os.pipe(), os.pipe()
        os.set_blocking(output, False)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", _CHILD, *words),
                env=environment,
                stdin=child_tie,
                stdout=child_output,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        finally:
            os.close(child_tie)
            os.close(child_output)
        return cls(process, tie, output)

    def show(self, say: Callable[[str], None], *, held: bool) -> None:
        """Give each line to `say` from now on, with those that were held back or without them."""
        self._say = say
        for line in self._held if held else ():
            say(line)
        self._held.clear()

    async def wait(self) -> str:
        """Return how the process ended, once nothing of its session is left."""
        status = await self._process.wait()
        self.kill()
        with suppress(TimeoutError):
            await _until(lambda: not self._is_anyone_left(), _MOMENT)
        self._read()
        for line in self._lines.end():
            self._say(line)
        self._close()
        return f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}"

    async def stop(self, seconds: float, *, children_first: bool) -> None:
        """End the process within so many seconds, or kill it with all of its session.

        With `children_first` it is told only when those that it started have ended in order.
        """
        try:
            async with asyncio.timeout(seconds):
                if children_first:
                    children = _children(self.pid)
                    for child in children:
                        _tell(child)
                    await _until(lambda: children.isdisjoint(_children(self.pid)), seconds)
                _tell(self.pid)
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def _is_anyone_left(self) -> bool:
        try:
            os.killpg(self.pid, 0)
        except ProcessLookupError:
            return False
        return True

    def kill(self) -> None:
        """Kill all processes of the session."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)

    def _read(self) -> None:
        """Take what is there to be read, and no more."""
        while True:
            try:
                block = os.read(self._output, _BLOCK)
            except BlockingIOError:
                return
            if not block:
                asyncio.get_running_loop().remove_reader(self._output)
                return
            for line in self._lines.take(block):
                self._say(line)

    def _close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._output)
        os.close(self._output)
        os.close(self._tie)


def _tell(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)


def _children(pid: int) -> set[int]:
    """Return the processes that one has started and that have not ended."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            # Behind the name, which may hold anything: state and parent.
            state, parent = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if int(parent) == pid and state != "Z":
                found.add(int(stat.parent.name))
    return found


async def _until(what: Callable[[], bool], seconds: float) -> None:
    async with asyncio.timeout(seconds):
        while not what():  # noqa: ASYNC110 - the kernel tells of no such event
            await asyncio.sleep(_BETWEEN_LOOKS)


class Lines:
    """Cuts what a process writes into lines that are safe on a terminal.

    Of a traceback only the last line is left, which names the error: Prefect's server writes a
    hundred lines where SQLite was locked for a moment and it tries again. `--verbose` leaves all.
    """

    def __init__(self) -> None:
        """Begin with nothing."""
        self._begun = b""
        self._error: str | None = None
        self._is_within = False
        self._shows_all = LOGGER.isEnabledFor(logging.DEBUG)

    def take(self, block: bytes) -> Iterator[str]:
        """Yield the lines that end in this block."""
        *lines, self._begun = (self._begun + block).split(b"\n")
        self._begun = self._begun[:LONGEST_LINE]
        for line in lines:
            if text := line.decode(errors="replace").rstrip():
                yield from map(_safe, [text] if self._shows_all else self._folded(text))

    def end(self) -> Iterator[str]:
        """Yield what was written last, though no line has ended."""
        yield from self.take(b"\n")
        if self._error:
            yield _safe(self._error)

    def _folded(self, text: str) -> Iterator[str]:
        """Yield a line, or nothing while it belongs to a traceback."""
        if text == _TRACEBACK:
            self._is_within = True
        elif self._is_within:
            # Where it ends shows by the first line after it: until then there may be a second one.
            self._is_within = text.startswith(" ")
            self._error = text
        elif self._error and (text.startswith((" ", *_SQL, *_BETWEEN))):
            return
        else:
            if self._error:
                yield self._error
            self._error = None
            yield text


def _safe(text: str) -> str:
    return printable(text, LONGEST_LINE)
