"""A command on a terminal as a person has it: read while it runs, and answered with keys."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

from support.paths import ROOT

PATIENCE = 120
_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class LiveTerminal:
    """A command on a terminal of 24 rows; `written` is all that came, with its escape sequences.

    The words are those of `pith-ingest`, or with `-c` of Python itself. A context manager, which
    ends the command in any case.
    """

    def __init__(
        self, folder: Path, *words: str | Path, columns: int = 80, env: Mapping[str, str]
    ) -> None:
        module = [] if words[0] == "-c" else ["-m", "flows.cli.main"]
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        self.written = ""
        # The first of a session that opens a terminal has it, and its Ctrl-C, as its own.
        opening = ["sh", "-c", 'exec "$@" <"$0"', os.ttyname(theirs)]
        self.process = subprocess.Popen(
            [*opening, sys.executable, *module, *map(str, words)],
            cwd=ROOT,
            env={**env, "HOME": str(folder), "TERM": "xterm-256color"},
            stdin=subprocess.DEVNULL, stdout=theirs, stderr=theirs,
            start_new_session=True,
        )  # fmt: skip
        os.close(theirs)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Kill what a failed test left running, and close the terminal."""
        with self.process:
            self.process.kill()
        os.close(self._ours)

    @property
    def lines(self) -> list[str]:
        """All lines that were ever shown, each as often as it was drawn, without colours."""
        return _lines(self.written)

    @property
    def live_lines(self) -> list[str]:
        """Those that were shown while there was a bar, which hides the cursor; also above it."""
        assert self.written.rindex(SHOW) > self.written.rindex(HIDE)
        return _lines(self.written.partition(HIDE)[2].rpartition(SHOW)[0])

    def wait_for(self, pattern: str) -> None:
        """Read until a line has the pattern."""
        deadline = time.monotonic() + PATIENCE
        while not any(re.search(pattern, line) for line in self.lines):
            assert self._read(deadline), (pattern, self.lines[-20:])

    def press(self, key: str) -> None:
        """Type, as a person does: the terminal makes a signal of Ctrl-C."""
        os.write(self._ours, key.encode())

    def finish(self) -> int:
        """Read to the end, and return the exit status."""
        deadline = time.monotonic() + PATIENCE
        while self._read(deadline):
            pass
        return self.process.wait(PATIENCE)

    def _read(self, deadline: float) -> bool:
        """Read some more; False at the end."""
        ready, _, _ = select.select([self._ours], [], [], deadline - time.monotonic())
        assert ready, self.lines[-20:]
        try:
            data = os.read(self._ours, 65536)
        except OSError:  # Linux's way to say that a terminal has no writer any more
            data = b""
        self.written += data.decode()
        return bool(data)


def _lines(written: str) -> list[str]:
    return [line for line in re.split(r"[\r\n]+", _ESCAPE.sub("", written)) if line]
