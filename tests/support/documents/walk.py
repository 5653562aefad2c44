"""A new user's walk, timed: from the clone to a night that Prefect has scheduled.

`.venv/bin/python tests/support/documents/walk.py FOLDER` clones this checkout into FOLDER, with an
empty home, types what a newcomer types, looks where a newcomer looks (in Chromium), and prints each
step with its seconds. Two pictures lie in FOLDER afterwards.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from arxiv_server import ArxivServer, make_library
from playwright.sync_api import Page

from support.browser.chromium import open_browser
from support.paths import ROOT

PAPERS = 2_000
CATEGORY = "cs.LG"
QUESTION = """
import polars as pl
papers = pl.scan_parquet("data/tables/papers/*.parquet")
most = papers.sort(pl.col("author_names").list.len()).tail(1).collect()
print("Which paper has most authors?", *most["author_names"].list.len(), *most["arxiv_id"])
"""


@dataclass
class Walk:
    """A newcomer with an empty home in a fresh clone."""

    folder: Path
    settings: dict[str, str]
    typed: int = 0
    lines: list[str] = field(default_factory=list)

    @property
    def environment(self) -> dict[str, str]:
        """The variables of the newcomer's shell."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        path = os.pathsep.join(p for p in os.environ["PATH"].split(os.pathsep) if ".venv" not in p)
        return {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"} | self.settings

    def type(self, command: str, *, cwd: str = "pith-ingest") -> str:
        """Type a command, wait for its end, and return what it prints."""
        with self.timed(command.strip().partition("\n")[0]):
            self.typed += 1
            done = subprocess.run(
                ["bash", "-c", command], cwd=self.folder / cwd, env=self.environment,
                capture_output=True, text=True, check=False,
            )  # fmt: skip
        if done.returncode not in {0, 1}:
            sys.exit(f"{command}: {done.stdout}{done.stderr}")
        return done.stdout

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Note a step and its seconds."""
        begun = time.monotonic()
        yield
        self.lines.append(f"{time.monotonic() - begun:7.1f} s  {what}")

    @contextmanager
    def typed_and_left(self, command: str, until: str) -> Iterator[list[str]]:
        """Type a command that stays, wait until it says `until`, yield its lines; Ctrl-C at last.

        The lines are those until then.
        """
        with subprocess.Popen(
            ["bash", "-c", f"exec {command}"], cwd=self.folder / "pith-ingest",
            env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        ) as process:  # fmt: skip
            said: list[str] = []
            assert process.stdout
            with self.timed(command):
                self.typed += 1
                for line in process.stdout:
                    said.append(line)
                    if until in line:
                        break
            try:
                yield said
            finally:
                with self.timed("Ctrl-C, until all has ended"):
                    process.terminate()
                    process.stdout.read()
                    process.wait()


def look(walk: Walk, page: Page, what: str, address: str, text: str) -> None:
    """Open a page, and wait until it shows a text."""
    with walk.timed(f"(in the browser) {what}"):
        page.goto(address)
        page.get_by_text(text).first.wait_for()
    page.screenshot(path=walk.folder / f"{what.replace(' ', '-')}.png")


def take(walk: Walk, today: datetime) -> None:
    """Walk all of it."""
    walk.type(f"git clone -q {ROOT} pith-ingest", cwd=".")
    walk.type("make demo")
    first = (today - timedelta(days=6)).date()
    tool = ".venv/bin/pith-ingest"
    walk.type(f"{tool} backfill --category {CATEGORY} --from {first}")
    answer = walk.type(f".venv/bin/python -c '{QUESTION.strip()}'")
    with walk.typed_and_left(f"{tool} up", "registry's site "), open_browser() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        opened = walk.type(f"{tool} show --open {answer.split()[-1]}").split()[-1]
        look(walk, page, "the record", opened, "Verify this record")
        look(walk, page, "the night in Prefect", "http://127.0.0.1:4200/deployments", "nightly")
    walk.lines += ["", answer]


def main(folder: Path) -> None:
    """Serve an imitation of arXiv, walk, and print what it took."""
    folder.mkdir(parents=True)
    today = datetime.now(UTC)
    library = make_library(PAPERS, 5, today.date() - timedelta(days=5), 5, [CATEGORY])
    with ArxivServer(library, today=today.date()) as server:
        walk = Walk(folder, {
            "PITH_ARXIV__OAI_URL": server.oai_url, "PITH_ARXIV__ATOM_URL": server.atom_url,
            "PITH_ARXIV__PACE_SECONDS": "0",
        })  # fmt: skip
        begun = time.monotonic()
        take(walk, today)
    sys.stdout.write("\n".join(walk.lines))
    minutes = (time.monotonic() - begun) / 60
    sys.stdout.write(f"{walk.typed} commands typed, {minutes:.1f} minutes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
