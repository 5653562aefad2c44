"""Which pith-ingest this is: its release, and the commit that it was built from where known."""

import subprocess
from functools import cache
from importlib.metadata import version
from pathlib import Path

_PACKAGE = Path(__file__).parents[2]
_DESCRIBE = ("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")
"""Prints the commit, with `-dirty` behind it where tracked files differ from it."""


def release() -> str:
    """Return the release that is installed, such as `0.2.0`."""
    return version("pith-ingest")


@cache
def commit() -> str | None:
    """Return the commit, such as `7f9b2561c2d4` or `7f9b2561c2d4-dirty`; None where none is known.

    A wheel brings it in a file (`hatch_build.py`); a clone is asked.
    """
    built = _PACKAGE / "commit.txt"
    if built.exists():
        return built.read_text(encoding="ascii").strip()
    clone = _PACKAGE.parent
    if not (clone / ".git").exists():
        return None
    try:
        done = subprocess.run(
            _DESCRIBE, cwd=clone, capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):  # no git here, or none that answers
        return None
    return done.stdout.strip() or None


def version_line() -> str:
    """Return what `--version` says: `pith-ingest 0.2.0 (commit 7f9b2561c2d4)`."""
    known = commit()
    return f"pith-ingest {release()}" + (f" (commit {known})" if known else "")
