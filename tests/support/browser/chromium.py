"""Debian's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

REQUIRED = "REQUIRE_BROWSER"
"""With this environment variable, a machine without Chromium fails the tests: `.ci/run` sets it.
Not `PITH_…`, for the commands under test refuse such a variable that they do not know."""

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_MISSING = (
    "there is no Chromium on this machine, so the browser's tests are left out; "
    "get it with 'apt-get install chromium', or put another one's name 'chromium' on the PATH"
)
_MOST_MILLISECONDS = 60_000
"""For an expectation to come true: a machine may be busy with much else."""

_FLAGS = [
    "--no-sandbox",  # a container's root has no other way
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP *.test 127.0.0.1",  # a page by plain http from elsewhere
]


def chromium() -> str:
    """Return the path of Chromium; without one skip the test, or fail it where it is required."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found:
        return found
    if os.environ.get(REQUIRED):
        pytest.fail(f"{_MISSING} ({REQUIRED} is set)", pytrace=False)
    pytest.skip(_MISSING)


@contextmanager
def open_browser() -> Iterator[Browser]:
    """Start Chromium without a window and with an empty profile of its own, and stop it."""
    expect.set_options(timeout=_MOST_MILLISECONDS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()
