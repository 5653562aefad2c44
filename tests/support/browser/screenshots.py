"""Take the pictures of the site that `docs/registry.md` shows.

Run it with `.venv/bin/python tests/support/browser/screenshots.py`; it needs Chromium.
"""

import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from playwright.sync_api import Browser

from support.browser.chromium import open_browser
from support.paths import ROOT
from support.registry.demo import make_demo
from support.registry.site_server import serve_pages

IMAGES = ROOT / "docs" / "images"
SHOWN = "/pith/1906.10822"
MODES = {
    "light": {"viewport": {"width": 960, "height": 1100}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 960, "height": 1100}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}


def take(browser: Browser, url: str, mode: str) -> None:
    """Take home, the record and its verification as they look in a mode."""
    context = browser.new_context(**MODES[mode])  # type: ignore[arg-type]  # options of a browser
    page = context.new_page()
    page.goto(url)
    if mode != "phone":
        page.set_viewport_size({"width": 960, "height": 1500})  # down to the calendar
    page.screenshot(path=IMAGES / f"home-{mode}.png")
    page.set_viewport_size(MODES[mode]["viewport"])  # type: ignore[arg-type]  # likewise
    page.goto(f"{url}{SHOWN}")
    page.screenshot(path=IMAGES / f"record-{mode}.png")
    page.get_by_role("button", name="Verify this record").click()
    page.locator(".report .checks").wait_for()
    page.locator("#verify-title").scroll_into_view_if_needed()
    page.evaluate("document.getElementById('verify-title').scrollIntoView()")
    page.screenshot(path=IMAGES / f"verify-{mode}.png")
    context.close()


def main() -> None:
    """Serve a demo and take all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        make_demo(Path(folder), datetime.now(UTC).date())
        with (
            serve_pages(Path(folder), name="Example Pith registry") as url,
            open_browser() as browser,
        ):
            for mode in MODES:
                take(browser, url, mode)


if __name__ == "__main__":
    main()
