"""Fixtures: `browser`, and `page`, whose complaints fail the test that does not expect them.

A test module takes them by `pytest_plugins = ["support.browser.fixtures"]`, so that all others run
without Playwright.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from support.browser.chromium import open_browser
from support.browser.complaints import Complaints
from support.browser.site import Site, serve_site


# For a module, not for the session: as long as Playwright runs, its event loop counts as running,
# and `asyncio.run` in other tests is refused. Driver and browser start in half a second.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give one Chromium to the tests of a module."""
    with open_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Give a site on loopback, with the page `verify` and an `empty` one."""
    with serve_site() as site:
        site.add_main("/empty", "<h1>Nothing</h1>")
        site.add_page("/verify", "verify.html")
        yield site


@pytest.fixture
def complaints() -> Complaints:
    """Give what `page` complained of."""
    return Complaints()


@pytest.fixture
def page(browser: Browser, complaints: Complaints) -> Iterator[Page]:
    """Give an empty page of a profile of its own, and fail the test if it complained at all."""
    context = browser.new_context()
    context.on("console", complaints.of_console)
    context.on("weberror", complaints.of_page)
    context.on("request", complaints.of_request)
    yield context.new_page()
    context.close()
    assert complaints.unexpected() == []
