"""A copy of what git tracks, with this checkout's environment and an arXiv on loopback."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from arxiv_server import ArxivServer, make_library

from support.paths import ROOT

PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
# `make test` is what runs the others; `make lint` is CI's other half; `make bench` takes long, and
# `test_benchmarks` runs what it runs. The campaign is run by `test_format_text`, the tests in a
# browser by `make test`.
RUN_ELSEWHERE = {
    "make test",
    "make lint",
    "make bench",
    ".venv/bin/python tests/fuzz/campaign.py 2000 100 5",
    ".venv/bin/python -m pytest -m browser",
}
_BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_LOCKS = ("requirements.lock", "requirements-dev.lock")


def blocks_of(page: str) -> list[tuple[str, str]]:
    """Return the blocks of a page that are run, each with its kind: `sh` or `python`."""
    return [
        (kind, block)
        for kind, block in _BLOCK.findall((ROOT / page).read_text())
        if block.strip() not in RUN_ELSEWHERE
    ]


def is_ready() -> bool:
    """Return whether this checkout's `.venv` is what its locks say.

    Where it is not, a copy's `make` would make it anew, under the feet of whoever uses it.
    """
    ready = ROOT / ".venv" / ".ready-to-test"
    sources = [ROOT / name for name in ("pyproject.toml", *_LOCKS)]
    return ready.exists() and all(s.stat().st_mtime <= ready.stat().st_mtime for s in sources)


def copy_checkout(folder: Path) -> None:
    """Copy what git tracks into a new folder, and link `.venv` there."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")


@contextmanager
def arxiv_on_loopback() -> Iterator[dict[str, str]]:
    """Imitate arXiv, which no test reaches; yield the settings that lead there."""
    today = datetime.now(UTC).date()
    library = make_library(40, 11, today - timedelta(days=3), 4)
    library.add(replace(library.works()[-1], id="1906.10822"))
    with ArxivServer(library, today=today) as server:
        yield {
            "PITH_ARXIV__OAI_URL": server.oai_url,
            "PITH_ARXIV__ATOM_URL": server.atom_url,
            "PITH_ARXIV__PACE_SECONDS": "0",
        }


def environment(checkout: Path, settings: dict[str, str]) -> dict[str, str]:
    """Return what a newcomer's shell has in a checkout, with an empty home of its own."""
    home = checkout.parent / "home"
    home.mkdir(exist_ok=True)
    path = f"{checkout / '.venv' / 'bin'}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"} | settings
