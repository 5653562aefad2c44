"""The command line on a terminal of a width: what it writes there, line by line."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping
from pathlib import Path

from support.paths import ROOT

ESCAPE = "\x1b"
_STYLE = re.compile(r"\x1b\[[0-9;]*m")


def on_terminal(
    folder: Path, *words: str | Path, width: int, env: Mapping[str, str] | None = None
) -> tuple[int, str]:
    """Run a command on a terminal, and return its exit status and all that it wrote."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, width, 0, 0))
    own = ("PITH_", "PREFECT_", "NO_COLOR", "COLUMNS", "LINES")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    settings = {"PITH_IDENTITY__KEY_FILE": str(folder / "signing.key"), "HOME": str(folder)}
    with subprocess.Popen(
        [sys.executable, "-m", "flows.cli.main", *map(str, words)],
        cwd=ROOT,
        env={**clean, **settings, "TERM": "xterm-256color", **(env or {})},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        written = b"".join(iter(lambda: _read(ours), b""))
    os.close(ours)
    return process.returncode, written.decode().replace("\r\n", "\n")


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way to say that a terminal has no writer any more
        return b""


def without_style(text: str) -> str:
    """Return what a terminal shows, without the colours; other escape sequences stay."""
    return _STYLE.sub("", text)
