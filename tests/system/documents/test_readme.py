"""README is short, and every command in it and in docs/ runs as printed.

A block of kind `sh` or `python` is run; one of kind `text` is what a person sees, or needs what is
not there: a server of theirs, a cluster, a bucket.
"""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.documents.checkout import (
    PAGES,
    arxiv_on_loopback,
    blocks_of,
    copy_checkout,
    environment,
    is_ready,
)
from support.paths import ROOT

pytestmark = pytest.mark.process

README = (ROOT / "README.md").read_text()
MOST_LINES = 150


@pytest.fixture(scope="module")
def arxiv() -> Iterator[dict[str, str]]:
    with arxiv_on_loopback() as settings:
        yield settings


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkout after `make demo`, with which every page begins."""
    if not is_ready():
        pytest.skip("there is no up-to-date .venv; 'make test' makes one")
    checkout = tmp_path_factory.mktemp("checkout") / "pith-ingest"
    copy_checkout(checkout)
    assert run(checkout, ["make", "demo"]).returncode == 0
    return checkout


def run(checkout: Path, command: list[str], **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=checkout,
        env=environment(checkout, settings),
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
        if block == "make demo\n":
            continue  # the checkout has begun with it, and a test below types it again
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
    assert "0 new records, 0 new snapshots, 9 unchanged" in again.stdout
    assert "9 bundles: 9 valid, 9 trusted" in again.stdout


def test_the_readme_is_short_and_links_to_every_page() -> None:
    assert len(README.splitlines()) <= MOST_LINES
    assert [page for page in PAGES[1:] if f"({page})" not in README] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_file_that_a_page_links_to_is_there(page: str) -> None:
    folder = (ROOT / page).parent
    links = re.findall(r"\]\((?!https?://|#|mailto:)([^)#\s]+)[^)]*\)", (ROOT / page).read_text())
    assert [link for link in links if not (folder / link).exists()] == []
