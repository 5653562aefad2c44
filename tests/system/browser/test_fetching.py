"""Bundles that the browser fetches: by a number or an address, and by the button of a record."""

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect
from support.browser.accessibility import serious_findings
from support.browser.complaints import Complaints
from support.browser.site import Document, Site, serve_site
from support.browser.verify_page import checks_shown, open_verify
from support.bundles.forging import GOOD
from support.papers.golden_data import FOLDER, GOLDEN

from transforms import bundle_bytes

pytestmark = pytest.mark.browser
pytest_plugins = ["support.browser.fixtures"]

NUMBER = GOOD["pith_number"]
SUFFIX = NUMBER.rpartition(":")[2]
PATH = f"/pith/{SUFFIX}/bundle.json"
GOOD_BYTES = bundle_bytes(GOOD)
ANOTHER = next(golden.id for golden in GOLDEN if golden.id not in GOOD["source"]["id"])
ANOTHER_BYTES = (FOLDER / f"{ANOTHER}.bundle.json").read_bytes()
ANY_SITE = {"Access-Control-Allow-Origin": "*"}
VALID = "Valid, but not trusted"


@pytest.fixture(scope="module")
def registry() -> Iterator[Site]:
    """Serve another registry, which lets any site read it."""
    with serve_site() as registry:
        yield registry


def ask(page: Page, number: str, registry: str = "") -> None:
    page.get_by_label("Pith number, or the address").fill(number)
    if registry:
        page.get_by_label("Registry that is asked").fill(registry)
    page.get_by_role("button", name="Fetch and verify").click()


def test_a_number_is_asked_of_a_registry(page: Page, site: Site, registry: Site) -> None:
    open_verify(page, site)
    numbers = [NUMBER, SUFFIX, SUFFIX.lower(), f" {NUMBER}\n", f"pith:{SUFFIX}"]
    for asked, number in [
        *((SUFFIX, number) for number in numbers),
        *((SUFFIX[:length], f"pith:{SUFFIX[:length]}") for length in (8, 12, 16, 25)),
    ]:
        path = f"/pith/{asked}/bundle.json"
        registry.documents[path] = Document(GOOD_BYTES, headers=ANY_SITE)
        registry.asked.clear()
        ask(page, number, f"{registry.url}/")
        expect(page.locator("#status")).to_contain_text(VALID)
        expect(page.locator(".report h3")).to_have_text(f"{registry.url}{path}")
        assert registry.asked == [path]


def test_this_registry_is_asked_unless_another_is_named(page: Page, site: Site) -> None:
    site.documents[PATH] = Document(GOOD_BYTES)
    open_verify(page, site)
    ask(page, NUMBER)
    expect(page.locator("#status")).to_contain_text(VALID)


def test_an_address_is_fetched(page: Page, site: Site, registry: Site) -> None:
    open_verify(page, site)
    for folder in ("", "/.well-known"):
        registry.documents[folder + PATH] = Document(GOOD_BYTES, headers=ANY_SITE)
        for end in ("", "/", "/bundle.json"):
            registry.asked.clear()
            ask(page, f"{registry.url}{folder}/pith/{SUFFIX}{end}#part")
            expect(page.locator("#status")).to_contain_text(VALID)
            expect(page.locator(".report h3")).to_have_text(f"{registry.url}{folder}{PATH}")
            assert registry.asked == [folder + PATH]


def test_a_valid_bundle_of_another_number_is_named_so(
    page: Page, site: Site, registry: Site
) -> None:
    open_verify(page, site)
    for asked, data in (
        (NUMBER, ANOTHER_BYTES),
        (f"pith:{SUFFIX[:8]}", ANOTHER_BYTES),
        (f"{registry.url}/pith/{SUFFIX}", ANOTHER_BYTES),
        (f"pith:2019:{SUFFIX}", GOOD_BYTES),
    ):
        for path in (PATH, f"/pith/{SUFFIX[:8]}/bundle.json"):
            registry.documents[path] = Document(data, headers=ANY_SITE)
        ask(page, asked, registry.url)
        number = json.loads(data)["pith_number"]
        said = f"another record than the one that was asked for: {number}"
        expect(page.locator("#status")).to_contain_text(said)
        expect(page.locator(".report")).to_have_attribute("data-status", "other")


def test_what_a_registry_refuses_is_said(
    page: Page, site: Site, registry: Site, complaints: Complaints
) -> None:
    open_verify(page, site)
    # Where a bundle is not there, the page looks whether the registry has it in packs.
    registry.documents["/pith-publish.json"] = Document(b"", headers=ANY_SITE, status=404)
    for status, said in (
        (404, "has no such record (404)"),
        (300, "several records that begin so"),
        (500, "the status 500"),
        (429, "the status 429"),
    ):
        registry.documents[PATH] = Document(b"{}", headers=ANY_SITE, status=status)
        ask(page, NUMBER, registry.url)
        expect(page.locator("#status")).to_contain_text(said)
    complaints.expect("Failed to load resource: the server responded with a status of")


def test_a_registry_that_lets_no_other_site_read_is_said_to(
    page: Page, site: Site, registry: Site, complaints: Complaints
) -> None:
    registry.documents[PATH] = Document(GOOD_BYTES)
    open_verify(page, site)
    ask(page, NUMBER, registry.url)
    expect(page.locator("#status")).to_contain_text("(CORS); download the file and drop it here")
    complaints.expect("blocked by CORS policy")
    complaints.expect("ERR_FAILED")


NEITHER = {
    "javascript:alert(1)": "Only addresses that begin with https://",
    "data:application/json,{}": "Only addresses that begin with https://",
    "file:///etc/passwd": "Only addresses that begin with https://",
    "https://user:secret@registry.example/pith/A/bundle.json": "without a user's name",
    "https://registry.example/": "A bundle's address ends in /pith/",
    "pith:2019:SHORT": "Give a Pith number",
    "pith:2019:" + "1" * 26: "Give a Pith number",
    "x" * 10_000: "Give a Pith number",
    "../../etc": "Give a Pith number",
}


def test_what_is_no_number_and_no_address_is_never_fetched(
    page: Page, site: Site, complaints: Complaints
) -> None:
    open_verify(page, site)
    before = len(complaints.requests)
    for text, said in NEITHER.items():
        ask(page, text)
        expect(page.locator("#status")).to_contain_text(said)
    assert len(complaints.requests) == before


def test_no_cookie_and_no_address_of_the_page_go_to_a_registry(
    page: Page, site: Site, registry: Site
) -> None:
    registry.documents[PATH] = Document(
        GOOD_BYTES, headers={**ANY_SITE, "Set-Cookie": "who=you; Path=/"}
    )
    open_verify(page, site)
    for _ in range(2):
        with page.expect_request(f"{registry.url}{PATH}") as asked:
            ask(page, NUMBER, registry.url)
        headers = asked.value.all_headers()
        assert {"cookie", "referer"} & headers.keys() == set()
        expect(page.locator("#status")).to_contain_text(VALID)


def add_record(site: Site, data: bytes, status: int = 200) -> None:
    site.documents[PATH] = Document(data, status=status)
    site.add_main(
        "/record",
        f"<h1>A record</h1><script type=module src=/static/pages/verify-record.js></script>"
        f"<button type=button data-verify-bundle='{PATH}' data-pith-number='{NUMBER}' hidden>"
        "Verify</button>",
    )


def test_the_button_of_a_record_verifies_it(page: Page, site: Site, complaints: Complaints) -> None:
    add_record(site, GOOD_BYTES)
    page.goto(f"{site.url}/record")
    page.get_by_role("button", name="Verify").press("Enter")
    expect(page.get_by_role("status")).to_contain_text(VALID)
    assert len(checks_shown(page)) == 22
    assert serious_findings(page, complaints) == []
    page.get_by_role("button", name="Trust this key: ").click()
    page.get_by_role("button", name="Trust it").click()
    expect(page.get_by_role("status")).to_contain_text("Valid and trusted")
    open_verify(page, site)
    expect(page.locator("#trusted ul")).to_contain_text(f"from the record {NUMBER}")


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (ANOTHER_BYTES, "another record than the one that was asked for"),
        (GOOD_BYTES.replace(b"GoSGD", b"GoSGE"), "Not valid: events"),
        (b"<html>", "Could not be read: not JSON"),
    ],
)
def test_the_button_tells_what_is_not_the_record(
    page: Page, site: Site, data: bytes, said: str
) -> None:
    add_record(site, data)
    page.goto(f"{site.url}/record")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("status")).to_contain_text(said)


def test_the_button_may_be_pressed_again(page: Page, site: Site, complaints: Complaints) -> None:
    add_record(site, b"", status=404)
    page.goto(f"{site.url}/record")
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("status")).to_contain_text("has no such record")
    add_record(site, GOOD_BYTES)
    page.get_by_role("button", name="Verify").click()
    expect(page.get_by_role("status")).to_contain_text(VALID)
    complaints.expect("status of 404")
