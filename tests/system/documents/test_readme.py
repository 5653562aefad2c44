"""README is short, and every command in it and in docs/ runs as printed.

A block of kind `sh` or `python` is run; one of kind `text` is what a person sees, or needs what is
not there: a server of theirs, a cluster, a bucket.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from arxiv_server import ArxivServer, make_library
from support.paths import ROOT

pytestmark = pytest.mark.process

README = (ROOT / "README.md").read_text()
MOST_LINES = 150
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```", re.DOTALL | re.MULTILINE)
PAGES = ["README.md", *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]
# `make test` is what runs this; `make lint` is CI's other half; `make bench` takes long, and
# `test_benchmarks` runs what it runs. The campaign is run by `test_format_text`, the tests in a
# browser by `make test`.
RUN_ELSEWHERE = {
    "make test",
    "make lint",
    "make bench",
    ".venv/bin/python tests/fuzz/campaign.py 2000 100 5",
    ".venv/bin/python -m pytest -m browser",
}
LOCKS = ("requirements.lock", "requirements-dev.lock")
TODAY = datetime.now(UTC).date()


def blocks_of(page: str) -> list[tuple[str, str]]:
    return BLOCK.findall((ROOT / page).read_text())


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy what git tracks, with this checkout's environment, to run the commands in."""
    ready = ROOT / ".venv" / ".ready-to-test"
    sources = [ROOT / name for name in ("pyproject.toml", *LOCKS)]
    if not ready.exists() or any(s.stat().st_mtime > ready.stat().st_mtime for s in sources):
        # The copy's make would make it anew, under the feet of this very process.
        pytest.skip("there is no up-to-date .venv; 'make test' makes one")
    folder = tmp_path_factory.mktemp("checkout") / "pith-ingest"
    tracked = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, tracked.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(ROOT / ".venv")
    return folder


@pytest.fixture(scope="module")
def arxiv() -> Iterator[dict[str, str]]:
    """Imitate arXiv, which no test reaches, and give the settings that lead there."""
    library = make_library(40, 11, TODAY - timedelta(days=3), 4)
    library.add(replace(library.works()[-1], id="1906.10822"))
    with ArxivServer(library, today=TODAY) as server:
        yield {
            "PITH_ARXIV__OAI_URL": server.oai_url,
            "PITH_ARXIV__ATOM_URL": server.atom_url,
            "PITH_ARXIV__PACE_SECONDS": "0",
        }


@pytest.fixture(scope="module")
def demo(checkout: Path) -> Path:
    """Return the checkout after `make demo`, with which every page begins."""
    assert run(checkout, ["make", "demo"]).returncode == 0
    return checkout


def run(checkout: Path, command: list[str], **settings: str) -> subprocess.CompletedProcess[str]:
    home = checkout.parent / "home"
    home.mkdir(exist_ok=True)
    path = f"{checkout / '.venv' / 'bin'}:{os.environ['PATH']}"
    return subprocess.run(
        command,
        cwd=checkout,
        env={"PATH": path, "HOME": str(home)} | settings,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.mark.parametrize("page", [page for page in PAGES if blocks_of(page)])
def test_every_command_runs_as_printed_and_the_python_too(
    page: str, demo: Path, arxiv: dict[str, str]
) -> None:
    for kind, block in blocks_of(page):
        if block.strip() in RUN_ELSEWHERE:
            continue
        command = ["bash", "-ec", block] if kind == "sh" else [".venv/bin/python", "-c", block]
        done = run(demo, command, **arxiv)
        assert done.returncode == 0, f"{block}{done.stderr}"
        assert not re.search("Traceback|Warning", done.stdout + done.stderr), block


def test_the_readmes_python_shows_the_papers(demo: Path) -> None:
    (script,) = [block for kind, block in blocks_of("README.md") if kind == "python"]
    read = run(demo, [".venv/bin/python", "-c", script])
    assert (read.returncode, read.stderr) == (0, "")
    assert "pith:2019:JUV2VY" in read.stdout


def test_the_demo_a_second_time_finds_nothing_new(demo: Path) -> None:
    again = run(demo, ["make", "demo"])
    assert "new records 0, new snapshots 0, unchanged 9" in again.stdout
    assert "9 bundles: 9 valid, 9 trusted" in again.stdout


def test_the_readme_is_short_and_links_to_every_page() -> None:
    assert len(README.splitlines()) <= MOST_LINES
    assert [page for page in PAGES[1:] if f"({page})" not in README] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_links_to_is_there(page: str) -> None:
    folder = (ROOT / page).parent
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)[^)]*\)", (ROOT / page).read_text())
    assert [link for link in links if not (folder / link).exists()] == []
