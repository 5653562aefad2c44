"""Take the pictures of reports that `docs/reports.md` shows: a night's page, and a month's.

Run it with `.venv/bin/python tests/support/browser/report_screenshots.py`; it needs Chromium.
"""

import sys
import tempfile
from datetime import date
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from playwright.sync_api import Browser

from flows.jobs.reports.kept import PAGE
from flows.jobs.reports.span import read_span, span_page
from flows.store.layout import Layout
from support.browser.chromium import open_browser
from support.paths import ROOT
from support.runs.nights import make_nights

IMAGES = ROOT / "docs" / "images"
LAST = date(2026, 11, 20)
TALL = 1180
"""Pixels: down to the first plot."""


def take(browser: Browser, file: Path, name: str, scheme: str) -> None:
    """Take the top of a page."""
    context = browser.new_context(
        viewport={"width": 920, "height": TALL},
        color_scheme=scheme,  # type: ignore[arg-type]  # one of its names
    )
    page = context.new_page()
    page.goto(file.as_uri())
    page.screenshot(path=IMAGES / name)
    context.close()


def main() -> None:
    """Make a month of nights and take both pictures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_nights(folder, LAST)
        layout = Layout(folder / "data")
        (folder / "month.html").write_bytes(
            span_page(read_span(layout, LAST.replace(month=10, day=22), LAST))
        )
        night = max((folder / "data" / "runs").iterdir()) / PAGE
        with open_browser() as browser:
            take(browser, night, "report.png", "light")
            take(browser, folder / "month.html", "report-month.png", "dark")


if __name__ == "__main__":
    main()
