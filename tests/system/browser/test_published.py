"""A registry of plain files in a real browser: records shown and verified, out of packs too."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.browser.accessibility import serious_findings
from support.browser.complaints import Complaints
from support.registry.file_server import Files, serve_files
from support.registry.publishing import published
from support.runs.jobs import backfill_raw
from support.runs.runs import SAMPLE, bundle_files, config_in

from flows.registry.publish.published import FileLayout

pytestmark = pytest.mark.browser
pytest_plugins = ["support.browser.fixtures"]


def publish(folder: Path, to: Path, file_layout: FileLayout) -> None:
    """Publish in a thread of its own: in this one Playwright's event loop counts as running."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(published, folder, to, file_layout).result()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    backfill_raw(config_in(folder), [SAMPLE])
    publish(folder, folder / "files", "files")
    publish(folder, folder / "packs", "packs")
    return folder


@pytest.fixture(params=[True, False], ids=["ranges", "no ranges"])
def packs(folder: Path, request: pytest.FixtureRequest) -> Iterator[Files]:
    with serve_files(folder / "packs", ranges=request.param) as files:
        yield files


def suffix_of(folder: Path) -> str:
    return min(bundle_files(folder))


def test_a_record_out_of_packs_is_shown_and_verified(
    page: Page, complaints: Complaints, folder: Path, packs: Files
) -> None:
    page.goto(packs.url)
    page.get_by_label("Pith Number").fill(suffix_of(folder)[:12].lower())
    page.get_by_label("Pith Number").press("Enter")
    expect(page.locator("#status")).to_contain_text("Valid")
    expect(page.locator("h1")).not_to_have_text("A record")
    assert page.locator(".checks tbody tr").count() == 22
    of_bundle = [(path, part) for path, part in packs.asked if path.startswith(("/pack", "/ind"))]
    assert [path.split("/")[1] for path, _ in of_bundle] == ["indexes", "packs"]
    assert of_bundle[1][1].startswith("bytes=")
    assert serious_findings(page, complaints) == []


def test_an_address_of_a_bundle_leads_to_its_record_by_page_404(
    page: Page, complaints: Complaints, folder: Path, packs: Files
) -> None:
    complaints.expect("404")
    page.goto(f"{packs.url}/pith/{suffix_of(folder)}")
    expect(page.locator("#status")).to_contain_text("Valid")


def test_the_page_verify_finds_bundles_in_packs(
    page: Page, complaints: Complaints, folder: Path, packs: Files
) -> None:
    complaints.expect("404")
    page.goto(f"{packs.url}/verify/")
    page.get_by_label("Pith number, or the address").fill(suffix_of(folder))
    page.get_by_role("button", name="Fetch and verify").click()
    expect(page.locator("#status")).to_contain_text("Valid")


def test_a_flipped_byte_in_a_pack_is_told(page: Page, folder: Path, tmp_path: Path) -> None:
    publish(folder, tmp_path, "packs")
    (pack,) = (tmp_path / "packs").iterdir()
    data = bytearray(pack.read_bytes())
    for at in range(100, len(data), 200):
        data[at] ^= 1
    pack.write_bytes(data)
    with serve_files(tmp_path) as files:
        page.goto(f"{files.url}/pith/?number={suffix_of(folder)}")
        expect(page.locator("#status")).to_contain_text("could not be read")


def test_what_is_not_there_is_said(page: Page, packs: Files) -> None:
    page.goto(f"{packs.url}/pith/?number={'A' * 26}")
    expect(page.locator("#status")).to_contain_text("no record")
    page.goto(f"{packs.url}/pith/?number=nonsense!")
    expect(page.locator("#status")).to_contain_text("Give a Pith Number")


def test_single_files_are_the_site_but_for_the_search(page: Page, folder: Path) -> None:
    with serve_files(folder / "files", ranges=False) as files:
        page.goto(files.url)
        expect(page.get_by_role("searchbox")).to_have_count(0)
        page.goto(f"{files.url}/pith/{suffix_of(folder)}")
        page.get_by_role("button", name="Verify this record").click()
        expect(page.locator("#verify-title ~ p[role=status]")).to_contain_text("Valid")
        for name in ("Runs", "Windows", "Verify"):
            page.get_by_role("navigation", name="Site").get_by_role("link", name=name).click()
            page.wait_for_load_state("load")
            expect(page.locator("h1")).to_be_visible()
