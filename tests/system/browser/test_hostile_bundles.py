"""What a bundle may hold to harm who verifies it: nothing runs, nothing freezes, all is said."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from support.browser.site import STATIC, TEMPLATES, Document, Site
from support.browser.verify_page import choose, count_frames, drop, open_verify, payload
from support.bundles.bad_bundles import HOSTILE
from support.bundles.forging import AT, GOOD, PAPER, merged
from support.bundles.signed_events import ISSUER, signed

from transforms import IssueTimes, build_bundle, bundle_bytes
from transforms.encoding.strict_json import MAX_BYTES
from transforms.verify.verify import verify_bundle

pytestmark = pytest.mark.browser
pytest_plugins = ["support.browser.fixtures"]

SCRIPTS = [
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "<svg/onload=alert(1)>",
    "</dd></dl><iframe src=javascript:alert(1)>", '"><a href="javascript:alert(1)">',
]  # fmt: skip


@pytest.fixture
def opened(page: Page, site: Site) -> Page:
    page.on("dialog", lambda dialog: dialog.dismiss())
    page.on("dialog", lambda _: pytest.fail("a script ran"))
    open_verify(page, site)
    return page


def test_html_in_a_valid_bundle_is_text(opened: Page) -> None:
    elements = "document.querySelectorAll('img, script:not([src]), svg, iframe, a').length"
    before = opened.evaluate(elements)
    for script in SCRIPTS:
        paper = replace(
            PAPER, title=script, authors=f"{script}, Ann", license="javascript:alert(1)"
        )
        bundle = build_bundle(paper, issuer=ISSUER, times=IssueTimes.at(AT))
        drop(opened, {f"{script}.json": bundle_bytes(bundle)})
        expect(opened.locator(".report h3")).to_have_text(f"{script}.json")
        expect(opened.locator("#status")).to_contain_text("Valid, but not trusted")
        expect(opened.locator(".facts")).to_contain_text(script)
        expect(opened.locator(".facts")).to_contain_text("javascript:alert(1)")
        assert opened.evaluate(elements) == before


def test_html_in_a_bad_bundle_is_text(opened: Page) -> None:
    files = [
        payload(f"{n}.json", json.dumps({**GOOD, "pith_number": script, script: 1}).encode())
        for n, script in enumerate(SCRIPTS)
    ]
    choose(opened, *files)
    for n in range(len(SCRIPTS)):
        opened.get_by_role("button", name=f"Show {n}.json").click()
        expect(opened.locator(".report h3")).to_have_text(f"{n}.json")
        expect(opened.locator(".report .verdict")).to_contain_text("Not valid")
        expect(opened.locator(".report img, .report script, .report a")).to_have_count(0)


def test_controls_and_directions_of_text_are_written_out(opened: Page) -> None:
    title = "abc\u202edef\u2066\x1b[2J\u200f"
    bundle = build_bundle(replace(PAPER, title=title), issuer=ISSUER, times=IssueTimes.at(AT))
    drop(opened, {"evil\u202enosj.json": bundle_bytes(bundle)})
    expect(opened.locator(".facts")).to_contain_text(r"abc\u{202e}def\u{2066}\u{1b}[2J\u{200f}")
    expect(opened.locator(".report h3")).to_have_text(r"evil\u{202e}nosj.json")
    assert not re.search("[\u202e\u2066\u200f\x1b]", opened.locator("main").inner_text())


def test_bytes_that_are_no_bundle_get_a_sentence_each(opened: Page) -> None:
    text = bundle_bytes(GOOD).decode().replace("Picard", "Picárd")
    encodings = ("utf-16", "utf-32", "latin-1", "utf-8-sig")
    documents = HOSTILE | {name: text.encode(name) for name in encodings}
    choose(opened, *[payload(name, data) for name, data in documents.items()])
    count = len(documents)
    said = f"{count} files: 0 valid, 0 trusted, 0 not valid, {count} unreadable"
    expect(opened.locator("#status")).to_contain_text(said)
    reasons = opened.locator(".batch tbody td:nth-child(3)").all_inner_texts()
    assert all(len(reason) > 3 for reason in reasons)
    opened.get_by_role("button", name="Show not UTF-8").click()
    expect(opened.locator(".report")).to_have_attribute("data-status", "unreadable")
    expect(opened.locator(".verdict")).to_have_text("Could not be read: not UTF-8.")


def crowded() -> bytes:
    """Return a valid bundle with as many events as fit into the limit, or nearly."""
    event = len(json.dumps(signed("correction", {"n": 0}, at=AT, number=GOOD["pith_number"])))
    count = MAX_BYTES // (2 * event)

    def add(bundle: Any) -> None:
        bundle["events"] += [
            signed("correction", {"n": n}, at=AT, number=GOOD["pith_number"]) for n in range(count)
        ]

    data = bundle_bytes(merged(add))
    assert MAX_BYTES // 2 < len(data) <= MAX_BYTES
    return data


def test_the_page_stays_alive_while_a_bundle_of_megabytes_is_checked(opened: Page) -> None:
    data = crowded()
    assert verify_bundle(data, []).valid
    count_frames(opened)
    choose(opened, payload("large.json", data))
    expect(opened.locator("#status")).to_contain_text("Verifying large.json")
    before = opened.evaluate("framesDrawn")
    # While the worker computes, the page answers: typing arrives, frames are drawn.
    opened.get_by_label("Pith number, or the address").fill("typed meanwhile")
    expect(opened.locator("#status")).to_contain_text("Verifying large.json")
    expect(opened.locator("#status")).to_contain_text("Valid, but not trusted")
    assert opened.evaluate("framesDrawn") - before > 10


def test_a_file_beyond_the_limit_is_refused_unread(opened: Page) -> None:
    opened.set_input_files("#files", [payload("large.json", b" " * (MAX_BYTES + 1))])
    expect(opened.locator("#status")).to_contain_text(f"larger than {MAX_BYTES} bytes")


def test_an_answer_without_end_is_read_to_the_limit_only(opened: Page, site: Site) -> None:
    path = f"/pith/{GOOD['pith_number'].rpartition(':')[2]}/bundle.json"
    site.documents[path] = Document(b" " * (5 * MAX_BYTES))
    opened.get_by_label("Pith number, or the address").fill(GOOD["pith_number"])
    opened.get_by_role("button", name="Fetch and verify").click()
    expect(opened.locator("#status")).to_contain_text(f"larger than {MAX_BYTES} bytes")
    del site.documents[path]


def test_more_files_than_a_page_shows_are_for_the_command(opened: Page) -> None:
    script = """() => {
      const transfer = new DataTransfer();
      for (let n = 0; n <= 10000; n += 1) transfer.items.add(new File(["{}"], `${n}.json`));
      const input = document.getElementById("files");
      input.files = transfer.files;
      input.dispatchEvent(new Event("change"));
    }"""
    opened.evaluate(script)
    expect(opened.locator("#status")).to_contain_text("More than 10000 files")


def test_no_script_of_the_site_reads_text_as_html_or_code() -> None:
    forbidden = re.compile(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|new Function|srcdoc|"
        r"setTimeout\(['\"]|DOMParser|createContextualFragment|\.on\w+ = ['\"]"
    )
    scripts = list(STATIC.rglob("*.js"))
    assert len(scripts) > 20
    assert [file.name for file in scripts if forbidden.search(file.read_text())] == []


def test_no_template_has_inline_scripts_or_styles_and_nothing_comes_from_elsewhere() -> None:
    # Data in a script never runs; and a link to elsewhere is followed by nobody but its reader.
    forbidden = re.compile(
        r"""<script(?![^>]*(\ssrc=|type="application/ld\+json"))|<style|\sstyle=|\son\w+="""
        r"""|javascript:|\s(src|srcset|action)="?(https?:)?//|rel="(stylesheet|icon)"[^>]*//"""
    )
    templates = list(TEMPLATES.rglob("*.html"))
    assert templates
    assert [file.name for file in templates if forbidden.search(file.read_text())] == []


def test_scripts_import_only_their_neighbours_and_fit_a_few_screens() -> None:
    for file in STATIC.rglob("*.js"):
        text = file.read_text()
        assert len(text.splitlines()) < 300
        imported = re.findall(r'^(?:import|}) .*from "([^"]+)";$', text, re.MULTILINE)
        assert all((file.parent / name).is_file() and name.startswith(".") for name in imported)
