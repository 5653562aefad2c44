"""One child process of `up`, in a session of its own: started, read line by line, stopped."""

import asyncio
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Self

from flows.common.terminal import printable

LONGEST_LINE = 4000
"""Characters of a line that are shown; the rest of it is dropped."""

_BLOCK = 2**16
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
        self._begun = b""
        asyncio.get_running_loop().add_reader(output, self._read)

    @classmethod
    async def start(
        cls, words: Sequence[str], environment: Mapping[str, str], stop_seconds: float
    ) -> Self:
        """Start a module with its arguments; it ends by itself when this process is gone."""
        (child_tie, tie), (output, child_output) = os.pipe(), os.pipe()
        os.set_blocking(output, False)
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", _CHILD, str(stop_seconds), *words),
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
        """Return how the process ended, once all that it started in its session has ended too."""
        status = await self._process.wait()
        self.kill()
        self._read()
        if self._begun:
            self._take(b"\n")
        self._close()
        return f"killed by {signal.Signals(-status).name}" if status < 0 else f"status {status}"

    async def stop(self, seconds: float) -> None:
        """End the process: it has so many seconds to do so in order."""
        with suppress(ProcessLookupError):
            self._process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            self.kill()
            await self._process.wait()

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
            self._take(block)

    def _take(self, block: bytes) -> None:
        *lines, self._begun = (self._begun + block).split(b"\n")
        # A line without an end is not kept without end.
        self._begun = self._begun[:LONGEST_LINE]
        for line in lines:
            text = line.decode(errors="replace").rstrip()
            if text:
                self._say(printable(text, LONGEST_LINE))

    def _close(self) -> None:
        asyncio.get_running_loop().remove_reader(self._output)
        os.close(self._output)
        os.close(self._tie)
