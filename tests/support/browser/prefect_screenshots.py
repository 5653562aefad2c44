"""Take the pictures of Prefect's UI that `docs/prefect.md` shows: a real server, real runs.

Run it with `.venv/bin/python tests/support/browser/prefect_screenshots.py`; it needs Chromium.
"""

import sys
import tempfile
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from arxiv_server import ArxivServer, make_library
from playwright.sync_api import Page

from support.browser.chromium import open_browser
from support.paths import ROOT
from support.runs.real_prefect import Api, RealServer, is_over, serving, wait_for, write_config

IMAGES = ROOT / "docs" / "images"
PAPERS, PAGE = 3_000, 100


def take_all(page: Page, ui: str, api: Api, first: str, log: Path) -> None:
    """Start a backfill, and take it under way, when it is done, its report, and the form."""
    run = api.start("backfill/pith-backfill", categories=["cs.LG"], first=first)
    progress = wait_for(
        lambda: [
            found
            for found in api.of_run("artifacts", run)
            if found["key"] == "pith-backfill-progress" and 20 < float(found["data"]) < 100
        ],
        log,
    )[0]
    take(page, f"{ui}/artifacts/artifact/{progress['id']}", "papers", "progress", 420)
    wait_for(partial(is_over, api, run), log)
    artifacts = {found["key"]: found["id"] for found in api.of_run("artifacts", run)}
    wait_for(lambda: len(api.of_run("task_runs", run)) >= len(artifacts) + 2, log)
    take(page, f"{ui}/runs/flow-run/{run}", "write report", "run", 860)
    report = artifacts["pith-backfill-report"]
    take(page, f"{ui}/artifacts/artifact/{report}", "its numbers as a table", "report", 700)
    deployment = api.get("deployments/name/backfill/pith-backfill")["id"]
    take(page, f"{ui}/deployments/deployment/{deployment}/run", "data_dir", "form", 1_330)


def take(page: Page, address: str, shown: str, name: str, height: int) -> None:
    """Take a page once it shows that text."""
    page.set_viewport_size({"width": 1_000, "height": height})
    page.goto(address)
    page.get_by_text(shown).first.wait_for()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=IMAGES / f"prefect-{name}.png", animations="disabled")


def main() -> None:
    """Serve an imitation of arXiv, run its papers by a real server, and take all pictures."""
    today = datetime.now(UTC).date()
    library = make_library(PAPERS, 3, today - timedelta(8), 8)
    with (
        tempfile.TemporaryDirectory() as folder,
        ArxivServer(library, today=today, page_size=PAGE) as arxiv,
        RealServer(Path(folder)) as server,
        open_browser() as browser,
    ):
        config_file = write_config(Path(folder), arxiv.url)
        slower = config_file.read_text().replace("pace_seconds: 0", "pace_seconds: 2")
        config_file.write_text(slower)
        with serving(server.api, config_file, server.env) as log:
            page = browser.new_context(color_scheme="dark").new_page()
            first = (today - timedelta(7)).isoformat()
            ui = server.env["PREFECT_API_URL"].removesuffix("/api")
            take_all(page, ui, server.api, first, log)


if __name__ == "__main__":
    main()
