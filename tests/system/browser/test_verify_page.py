"""The page `verify`: what a visitor drops or chooses is checked in the browser, and shown."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from support.browser.accessibility import serious_findings
from support.browser.complaints import Complaints
from support.browser.site import Site
from support.browser.verify_page import checks_shown, choose, drop, open_verify, payload
from support.bundles.bad_bundles import BAD, UNCHECKED
from support.bundles.forging import GOOD
from support.papers.golden_data import FOLDER, GOLDEN

from transforms import bundle_bytes
from transforms.verify.verify import verify_bundle

pytestmark = pytest.mark.browser
pytest_plugins = ["support.browser.fixtures"]

GOLDEN_BUNDLES = {
    golden.id: (FOLDER / f"{golden.id}.bundle.json").read_bytes() for golden in GOLDEN
}
TITLE = '"title":"'


def tampered(data: bytes) -> bytes:
    """Change the first letter of the title that is shown."""
    at = data.index(TITLE.encode()) + len(TITLE)
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_it_shows_every_check_as_the_command_does(page: Page, site: Site) -> None:
    bundles = GOLDEN_BUNDLES | {
        "unchecked": bundle_bytes(next(iter(UNCHECKED.values()))[0]),
        "bad": bundle_bytes(next(iter(BAD.values()))[0]),
    }
    open_verify(page, site)
    for name, data in bundles.items():
        due = verify_bundle(data, []).checks
        assert len(due) == 22
        choose(page, payload(f"{name}.json", data))
        expect(page.locator(".report h3")).to_have_text(f"{name}.json")
        assert checks_shown(page) == [[check.name, check.outcome] for check in due]


def test_a_valid_bundle_is_not_a_trusted_one(page: Page, site: Site) -> None:
    open_verify(page, site)
    drop(page, {"good.json": bundle_bytes(GOOD)})
    expect(page.locator("#status")).to_contain_text("Valid, but not trusted")
    facts = page.locator(".facts")
    for shown in (GOOD["pith_number"], "GoSGD", "David Picard", "1804.01852 v2"):
        expect(facts).to_contain_text(shown)


def test_of_a_changed_file_the_checks_that_fail_are_shown(page: Page, site: Site) -> None:
    open_verify(page, site)
    data = tampered(bundle_bytes(GOOD))
    drop(page, {"good.json": data})
    expect(page.locator("#status")).to_contain_text("Not valid: events: ")
    failed = [name for name, outcome in checks_shown(page) if outcome == "fail"]
    due = [check.name for check in verify_bundle(data, []).checks if check.outcome == "fail"]
    assert failed == due
    assert "title" in failed
    # What an invalid bundle says of itself is not shown as if it were so.
    expect(page.locator(".facts")).to_have_count(0)


def test_nothing_is_sent_anywhere(page: Page, site: Site, complaints: Complaints) -> None:
    open_verify(page, site)
    choose(page, payload("good.json", bundle_bytes(GOOD)))
    expect(page.locator(".checks")).to_be_visible()
    static = re.compile(rf"{re.escape(site.url)}/(verify|icon\.svg|static/[\w/-]+\.(js|css))")
    assert len(complaints.requests) > 20
    assert [url for url in complaints.requests if not static.fullmatch(url)] == []
    before = len(complaints.requests)
    choose(page, *[payload(f"{n}.json", data) for n, data in enumerate(GOLDEN_BUNDLES.values())])
    expect(page.locator("#status")).to_contain_text("5 files: 5 valid")
    # The second worker loads the same scripts; nothing else is asked for.
    assert [url for url in complaints.requests[before:] if not static.fullmatch(url)] == []


FLOOR = """async (count) => {
  const pair = await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
  const message = new Uint8Array(32);
  const signature = await crypto.subtle.sign("Ed25519", pair.privateKey, message);
  const started = performance.now();
  for (let n = 0; n < count; n += 1) {
    await crypto.subtle.verify("Ed25519", pair.publicKey, signature, message);
  }
  return (performance.now() - started) / 1000;
}"""
SIGNATURES = 4  # of a bundle: receipt, two events, the whole


def test_five_hundred_are_a_table(
    page: Page, site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    bundles = [*GOLDEN_BUNDLES.values()] * 100
    bundles[7], bundles[400] = tampered(bundles[7]), b"no bundle"
    open_verify(page, site)
    choose(page, *[payload(f"{n}.json", data) for n, data in enumerate(bundles)])
    status = page.locator("#status")
    expect(status).to_contain_text("bundles per second", timeout=120_000)
    bare = page.evaluate(FLOOR, SIGNATURES * len(bundles))
    with capsys.disabled():
        print(f"\n{status.inner_text()} Their signatures alone: {bare:.1f} seconds.")
    counts = "500 files: 498 valid, 0 trusted, 1 not valid, 1 unreadable; in "
    expect(status).to_contain_text(counts)
    rows = page.locator(".batch tbody tr")
    expect(rows).to_have_count(500)
    assert [rows.nth(n).locator("th").inner_text() for n in (0, 7, 499)] == [
        "0.json", "7.json", "499.json",
    ]  # fmt: skip
    page.get_by_label("only what is not valid").check()
    expect(page.locator(".batch tbody tr:visible")).to_have_count(2)
    page.get_by_role("button", name="Show 7.json").click()
    expect(page.locator(".report h3")).to_be_focused()
    expect(page.locator(".report .verdict")).to_contain_text("Not valid: ")


def test_a_folder_is_searched_for_json(page: Page, site: Site, tmp_path: Path) -> None:
    (tmp_path / "2018").mkdir()
    for name in ("a.json", "2018/b.JSON", "notes.txt"):
        (tmp_path / name).write_bytes(bundle_bytes(GOOD))
    open_verify(page, site)
    page.set_input_files("#folder", tmp_path)
    expect(page.locator("#status")).to_contain_text("2 files: 2 valid")
    shown = page.locator(".batch tbody th").all_inner_texts()
    assert sorted(shown) == [f"{tmp_path.name}/2018/b.JSON", f"{tmp_path.name}/a.json"]
    (tmp_path / "empty").mkdir()
    page.set_input_files("#folder", tmp_path / "empty")
    expect(page.locator("#status")).to_contain_text("There is no bundle")


def test_a_folder_that_is_dropped_is_searched_too(page: Page, site: Site, tmp_path: Path) -> None:
    """By the browser's own drag, which alone hands folders over."""
    for name in ("a.json", "in/deep/b.json", "in/notes.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(bundle_bytes(GOOD))
    open_verify(page, site)
    box = page.locator("#drop").bounding_box()
    assert box
    data = {"items": [], "files": [str(tmp_path)], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        event = {"type": kind, "x": box["x"] + 5, "y": box["y"] + 5, "data": data}
        session.send("Input.dispatchDragEvent", event)
    expect(page.locator("#status")).to_contain_text("2 files: 2 valid")
    shown = page.locator(".batch tbody th").all_inner_texts()
    assert sorted(shown) == [f"{tmp_path.name}/a.json", f"{tmp_path.name}/in/deep/b.json"]


def test_a_second_go_replaces_the_first(page: Page, site: Site) -> None:
    open_verify(page, site)
    many = [payload(f"{n}.json", bundle_bytes(GOOD)) for n in range(300)]
    choose(page, *many)
    choose(page, payload("last.json", bundle_bytes(GOOD)))
    expect(page.locator(".report h3")).to_have_text("last.json")
    expect(page.locator("#status")).to_contain_text("Valid, but not trusted")
    expect(page.locator(".batch")).to_have_count(0)


def test_a_file_that_is_gone_is_said_to_be(page: Page, site: Site, tmp_path: Path) -> None:
    open_verify(page, site)
    file = tmp_path / "gone.json"
    file.write_bytes(bundle_bytes(GOOD))
    page.set_input_files("#files", file)
    expect(page.locator(".checks")).to_be_visible()
    file.unlink()
    page.locator("#files").dispatch_event("change")
    expect(page.locator("#status")).to_contain_text("the file cannot be read")


def test_it_is_used_by_keyboard_alone(page: Page, site: Site) -> None:
    # Before the page opens: one that is expected only as the key is pressed may come too soon.
    good = payload("good.json", bundle_bytes(GOOD))
    page.on("filechooser", lambda chooser: chooser.set_files([good]))
    open_verify(page, site)
    page.keyboard.press("Tab")  # the site's own link
    page.keyboard.press("Tab")
    expect(page.locator("#files")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("Valid, but not trusted")
    for _ in range(5):  # folder, number, registry, fetch, trust
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Cancel")).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#status")).to_contain_text("Valid and trusted")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(
    page: Page, site: Site, complaints: Complaints, scheme: str
) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    open_verify(page, site)
    assert serious_findings(page, complaints) == []
    for shown in (BAD, UNCHECKED):
        choose(page, payload("a.json", bundle_bytes(next(iter(shown.values()))[0])))
        expect(page.locator(".checks")).to_be_visible()
        assert serious_findings(page, complaints) == []
    choose(page, payload("good.json", bundle_bytes(GOOD)), payload("no.json", b"no"))
    page.get_by_role("button", name="Show good.json").click()
    page.get_by_role("button", name="Trust this key: ").click()
    assert serious_findings(page, complaints) == []
    page.get_by_role("button", name="Trust it").click()
    expect(page.locator(".batch [data-status=trusted]")).to_have_count(1)
    assert serious_findings(page, complaints) == []


NO_ED25519 = """const importKey = crypto.subtle.importKey.bind(crypto.subtle);
crypto.subtle.importKey = async (format, key, algorithm, ...others) => {
  if (algorithm === "Ed25519") throw new DOMException("Unrecognized name", "NotSupportedError");
  return importKey(format, key, algorithm, ...others);
};"""


def test_a_browser_without_ed25519_is_told_so(page: Page, site: Site) -> None:
    page.add_init_script(NO_ED25519)
    page.goto(f"{site.url}/verify")
    expect(page.locator("#unable")).to_contain_text("has no Ed25519")
    expect(page.locator("#verify")).to_be_hidden()


def test_a_page_that_came_unsafely_says_so(page: Page, site: Site, complaints: Complaints) -> None:
    unsafe = site.url.replace("127.0.0.1", "registry.test")
    page.goto(f"{unsafe}/verify")
    expect(page.locator("#unable")).to_contain_text("over https")
    expect(page.locator("#verify")).to_be_hidden()
    complaints.expect(f"a request to {unsafe}/")


def test_scripts_that_do_not_load_are_said_to(page: Page, site: Site) -> None:
    page.route("**/ui/worker.js", lambda route: route.abort())
    open_verify(page, site)
    choose(page, payload("good.json", bundle_bytes(GOOD)))
    expect(page.locator("#status")).to_contain_text("own scripts did not run")


def test_a_check_that_does_not_end_is_given_up(page: Page, site: Site) -> None:
    page.clock.install()
    silent = {"content_type": "text/javascript", "body": "addEventListener('message', () => {});"}
    page.route("**/ui/worker.js", lambda route: route.fulfill(**silent))
    open_verify(page, site)
    choose(page, payload("good.json", bundle_bytes(GOOD)))
    expect(page.locator("#status")).to_contain_text("Verifying good.json")
    page.clock.fast_forward(61_000)
    expect(page.locator("#status")).to_contain_text("it took longer than 60 seconds to check")
    page.unroute("**/ui/worker.js")
    choose(page, payload("good.json", bundle_bytes(GOOD)), payload("again.json", b"{}"))
    expect(page.locator("#status")).to_contain_text("2 files: 1 valid")


def test_without_javascript_nothing_is_offered_that_does_not_work(
    browser: Browser, site: Site
) -> None:
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto(f"{site.url}/verify")
        expect(page.get_by_role("heading", name="Verify bundles")).to_be_visible()
        expect(page.locator("#verify")).to_be_hidden()
