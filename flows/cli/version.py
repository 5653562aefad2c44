"""What `--version` says: the release, and the commit that it was built from, where that is known.

Either is told by what pip or hatchling recorded, or by git where the code runs from a checkout; no
folder that a command stands in is asked.
"""

import json
import shutil
import subprocess
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

_NAME = "pith-ingest"
_CHECKOUT = Path(__file__).resolve().parents[2]
_COMMIT_FILE = "extra_metadata/commit"
_SHORT = 12


def version_line() -> str:
    """Return such as `pith-ingest 0.2.0 (commit 1a2b3c4d5e6f)`."""
    try:
        installed = distribution(_NAME)
    except PackageNotFoundError:
        return _with_commit(f"{_NAME} of no known release", _of_checkout())
    return _with_commit(f"{_NAME} {installed.version}", _recorded(installed) or _of_checkout())


def _with_commit(line: str, commit: str | None) -> str:
    return f"{line} (commit {commit[:_SHORT]})" if commit else line


def _recorded(installed: Distribution) -> str | None:
    """Return the commit that a wheel was built from, or that pip installed from a repository."""
    if built_from := installed.read_text(_COMMIT_FILE):
        return built_from.strip()
    try:
        origin = json.loads(installed.read_text("direct_url.json") or "{}")
        return str(origin["vcs_info"]["commit_id"])
    except (ValueError, KeyError, TypeError):
        return None


def _of_checkout() -> str | None:
    """Return the commit of the checkout that this module lies in, or None where it is in none."""
    git = shutil.which("git")
    if git is None or not (_CHECKOUT / ".git").exists():
        return None
    try:
        told = subprocess.run(
            [git, "-C", str(_CHECKOUT), "rev-parse", "HEAD"],
            capture_output=True, text=True, timeout=5, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout.strip()
