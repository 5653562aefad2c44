"""A run's page and a month's in a real browser: whole by itself, readable anywhere, printable."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from playwright.sync_api import Page
from support.browser.accessibility import serious_findings
from support.browser.complaints import Complaints
from support.papers.oai_pages import page as reply
from support.papers.oai_pages import record
from support.registry.site_server import serve_pages
from support.runs.nights import make_nights
from support.runs.runs import process

from flows.jobs.reports.span import read_span, span_page
from flows.store.layout import Layout

pytestmark = pytest.mark.browser
pytest_plugins = ["support.browser.fixtures"]

LAST = date(2026, 11, 20)
NARROWEST = 320
"""Pixels of the narrowest phone that is made."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder of some nights and of a run with a reject, and `month.html` of them."""
    folder = tmp_path_factory.mktemp("reports")
    make_nights(folder, LAST, nights=8, papers=120)
    process(folder, reply(record(), record("0903.0443", title="")))
    span = read_span(Layout(folder / "data"), date(2026, 11, 1), date(2100, 1, 1))
    (folder / "month.html").write_bytes(span_page(span))
    return folder


@pytest.fixture(scope="module")
def pages(folder: Path) -> list[str]:
    """Give the addresses of the pages of a night, of the run with a reject, and of all."""
    *_, night, rejected = sorted((folder / "data" / "runs").iterdir())
    files = (night / "report.html", rejected / "report.html", folder / "month.html")
    return [file.as_uri() for file in files]


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """Give the address of the registry of that folder."""
    with serve_pages(folder) as url:
        yield url


def opened(page: Page, complaints: Complaints, address: str) -> None:
    """Open a file, the one request that is no complaint."""
    page.goto(address)
    assert complaints.requests.pop() == address
    assert complaints.heard.pop() == f"a request to {address}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_and_nothing_else_is_asked_for(
    page: Page, complaints: Complaints, pages: list[str], scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of its names
    for address in pages:
        opened(page, complaints, address)
        dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
        assert (dark == "rgb(20, 23, 26)") == (scheme == "dark")
        assert serious_findings(page, complaints) == [], address
    assert complaints.requests == []


def test_no_page_scrolls_sideways_on_a_phone(
    page: Page, complaints: Complaints, pages: list[str]
) -> None:
    page.set_viewport_size({"width": NARROWEST, "height": 700})
    for address in pages:
        opened(page, complaints, address)
        for summary in page.locator("summary").all():
            summary.click()
        assert page.evaluate("document.documentElement.scrollWidth") == NARROWEST, address
        sizes = page.locator(".tick").evaluate_all(
            "(ticks) => ticks.map((one) => one.getBoundingClientRect().height).filter(Boolean)"
        )
        # Letters are not stretched with the plot.
        assert all(10 < size < 20 for size in sizes), address


def test_columns_are_drawn_as_high_as_their_numbers(
    page: Page, complaints: Complaints, pages: list[str]
) -> None:
    opened(page, complaints, pages[2])
    plot = page.locator("figure.plot").first
    drawn = plot.locator("svg svg path").evaluate_all("(all) => all.map((one) => one.getBBox().y)")
    plot.locator("summary").click()
    rows = plot.locator("tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.cells].slice(1).map((cell) => +cell.textContent))"
    )
    highest = max(sum(row) for row in rows)
    top = int(plot.locator("text").first.text_content() or "")
    assert 200 - min(drawn) == pytest.approx(200 * highest / top, abs=1)


def test_printed_it_is_dark_on_white_and_has_no_buttons(
    page: Page, complaints: Complaints, pages: list[str]
) -> None:
    for address in pages:
        page.emulate_media(media="print", color_scheme="dark")
        opened(page, complaints, address)
        colour = page.evaluate("getComputedStyle(document.body).color")
        assert colour == "rgb(29, 33, 37)"
        assert not any(one.is_visible() for one in page.locator("summary").all())
        assert page.pdf().startswith(b"%PDF")


def test_the_registry_shows_the_same_under_its_own_policy(
    page: Page, complaints: Complaints, url: str, folder: Path
) -> None:
    planted = "<script>document.title='ran'</script>"
    newest = max((folder / "data" / "runs").iterdir())
    (newest / "report.html").write_text(planted)
    page.goto(f"{url}/runs")
    page.locator("tbody a").first.click()
    assert page.url.endswith(f"/runs/{newest.name}")
    assert page.locator("h1").text_content() == "Done: 1 paper came (1 new); 1 reject."
    assert page.title() != "ran"
    assert serious_findings(page, complaints) == []
    page.set_viewport_size({"width": NARROWEST, "height": 700})
    assert page.evaluate("document.documentElement.scrollWidth") == NARROWEST
    # Its style came: a column of a card's picture has the site's colour.
    fill = page.locator(".spark .s1").first.evaluate("(one) => getComputedStyle(one).fill")
    assert fill == "rgb(28, 93, 99)"
