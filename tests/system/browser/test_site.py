"""The registry in a real browser: found, opened, verified; readable, reachable, silent."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browser.accessibility import serious_findings
from support.browser.complaints import Complaints
from support.papers.snapshot_rows import line, row
from support.registry.demo import make_demo
from support.registry.site_server import serve_pages
from support.runs.jobs import backfill_snapshot
from support.runs.runs import config_in

from transforms.paper.selection import Selection

pytestmark = pytest.mark.browser
pytest_plugins = ["support.browser.fixtures"]

HOSTILE = "</script><script>document.title='ran'</script><img src=x onerror=alert(1)>"
PAGES = ["/", "/search", "/search?q=schrodinger", "/search?q=xyzzyq", "/pith/0903.0442", "/runs",
         "/windows", "/rejects", "/vanished", "/verify", "/nothing"]  # fmt: skip
TALLEST = 320
"""Pixels of the narrowest phone that is made."""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("site")
    make_demo(folder, datetime.now(UTC).date(), papers=60)
    hostile = row(
        "0903.0666", title=HOSTILE, authors=HOSTILE, comments=HOSTILE, abstract=HOSTILE,
        license="javascript:alert(1)",
    )  # fmt: skip
    _write(folder / "hostile.jsonl", hostile)
    backfill_snapshot(config_in(folder), folder / "hostile.jsonl", Selection())
    with serve_pages(folder) as url:
        yield url


def _write(path: Path, values: dict[str, object]) -> None:
    path.write_bytes(line(values))


def open_page(page: Page, complaints: Complaints, address: str) -> None:
    if address.endswith("/nothing"):
        complaints.expect("404")
    page.goto(address)


def test_a_visitor_searches_opens_a_record_and_verifies_it(page: Page, url: str) -> None:
    page.goto(url)
    page.get_by_role("searchbox").fill("schrodinger")
    page.get_by_role("searchbox").press("Enter")
    expect(page.locator("#found")).to_contain_text("paper")
    page.locator(".results a").first.click()
    expect(page.locator(".record-head .authors")).to_contain_text("Schrödinger")
    page.get_by_role("button", name="Verify this record").click()
    expect(page.locator(".checks tbody tr").first).to_be_visible()
    outcomes = page.locator(".checks tbody tr").evaluate_all(
        "(rows) => rows.map((row) => row.dataset.outcome)"
    )
    assert outcomes == ["pass"] * 22
    expect(page.locator("#verify-title ~ p[role=status]")).to_contain_text("Valid")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    page: Page, complaints: Complaints, url: str, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its names
    for path in PAGES:
        open_page(page, complaints, url + path)
        assert serious_findings(page, complaints) == [], path


def test_no_page_scrolls_sideways_on_a_phone(page: Page, complaints: Complaints, url: str) -> None:
    page.set_viewport_size({"width": TALLEST, "height": 700})
    for path in PAGES:
        open_page(page, complaints, url + path)
        for summary in page.locator("summary").all():
            summary.click()
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width == TALLEST, path


def test_all_is_reached_by_keyboard_in_the_order_of_the_page(page: Page, url: str) -> None:
    page.goto(f"{url}/pith/0903.0442")
    expect(page.get_by_role("button", name="Verify this record")).to_be_visible()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    reached = []
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim().slice(0, 40)"))
    for name in ("Search", "Signed bundle", "Verify this record", "CSL-JSON"):
        assert name in reached
    page.get_by_role("button", name="Verify this record").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".checks")).to_be_visible()


def test_a_search_needs_no_javascript(browser: Browser, url: str) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(url)
    page.get_by_role("searchbox").fill("author")
    page.get_by_role("button", name="Search").click()
    page.locator(".results a").first.click()
    expect(page.locator("#canonical-title")).to_be_visible()
    expect(page.locator("button[data-verify-bundle]")).to_be_hidden()
    context.close()


def test_a_plot_is_told_in_words_and_in_a_table(page: Page, url: str) -> None:
    page.goto(url)
    for plot in page.get_by_role("img").all():
        assert plot.get_attribute("aria-labelledby")
    page.locator("summary").first.click()
    expect(page.locator("details table").first).to_be_visible()
    assert page.locator(".proven").count() > 100
    assert page.locator(".open").count() > 20


def test_nothing_hostile_runs(page: Page, url: str) -> None:
    for path in ("/search?q=onerror", "/pith/0903.0666"):
        page.goto(url + path)
        assert page.title() != "ran"
        assert page.locator("img[src=x]").count() == 0
    assert page.locator("a[href^='javascript' i]").count() == 0
    expect(page.locator("main")).to_contain_text("javascript:alert(1)")


def test_pages_ask_this_registry_alone(page: Page, complaints: Complaints, url: str) -> None:
    page.goto(url)
    assert complaints.requests
    assert all(address.startswith(url) for address in complaints.requests)
