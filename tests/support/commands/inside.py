"""The command line inside this process, in a pipe or on a terminal of a width: a quick start.

`command.py` and `terminal.py` are real processes, for what only those show.
"""

import contextlib
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from unittest.mock import patch

from flows.cli.app import app
from flows.common.errors import PithError


@dataclass(frozen=True, slots=True)
class Answered:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def inside(
    *words: object, width: int | None = None, env: Mapping[str, str] | None = None
) -> Answered:
    """Run a command; `width` None is a pipe."""
    out, err = io.StringIO() if width is None else _Terminal(), io.StringIO()
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith(("PITH_", "PREFECT_", "NO_COLOR"))}  # fmt: skip
    settings = {"COLUMNS": str(width or 80), "TERM": "xterm-256color", **(env or {})}
    with (
        patch.dict(os.environ, {**clean, **settings}, clear=True),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            status = app(list(map(str, words)), standalone_mode=False, prog_name="pith-ingest")
        except PithError as error:
            status = error.exit_status
            err.write(f"pith-ingest: {error}\n")
    return Answered(status or 0, out.getvalue(), err.getvalue())
