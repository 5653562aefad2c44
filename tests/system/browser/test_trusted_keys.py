"""The keys that a visitor of the site trusts: asked for, kept by the browser, taken back."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from support.browser.site import Site
from support.browser.verify_page import choose, open_verify, payload
from support.bundles.forging import GOOD
from support.bundles.signed_events import ISSUER, STRANGER

from transforms import bundle_bytes
from transforms.signing import encode_base64, fingerprint

pytestmark = pytest.mark.browser
pytest_plugins = ["support.browser.fixtures"]

KEY = ISSUER.signer.public_key
VALID, TRUSTED = "Valid, but not trusted", "Valid and trusted"


def open_with_bundle(page: Page, site: Site) -> None:
    open_verify(page, site)
    choose(page, payload("good.json", bundle_bytes(GOOD)))
    expect(page.locator(".checks")).to_be_visible()


def paste(page: Page, key: str, source: str = "") -> None:
    page.get_by_label("Public key, in base64 or hex").fill(key)
    page.get_by_label("Where it is from").fill(source)
    page.get_by_role("button", name="Trust this key…", exact=True).last.click()


def saved(page: Page) -> Any:
    return json.loads(page.evaluate("localStorage.getItem('pith.trusted-keys')"))


def test_the_key_of_a_bundle_is_trusted_after_asking(page: Page, site: Site) -> None:
    open_with_bundle(page, site)
    expect(page.locator("#status")).to_contain_text(VALID)
    page.get_by_role("button", name=f"Trust this key: {ISSUER.fingerprint}").click()
    dialog = page.get_by_role("dialog", name="Trust this key?")
    expect(dialog).to_contain_text(fingerprint(KEY))
    dialog.get_by_role("button", name="Trust it").click()
    expect(page.locator("#status")).to_contain_text(TRUSTED)
    expect(page.locator(".report .verdict")).to_contain_text(TRUSTED)
    (key,) = saved(page)["keys"]
    assert (key["public_key"], key["source"]) == (encode_base64(KEY), "the bundle good.json")
    open_with_bundle(page, site)
    expect(page.locator("#status")).to_contain_text(TRUSTED)


@pytest.mark.parametrize("refuse", ["Cancel", "Escape"])
def test_who_does_not_agree_trusts_nothing(page: Page, site: Site, refuse: str) -> None:
    open_with_bundle(page, site)
    page.get_by_role("button", name="Trust this key: ").click()
    expect(page.get_by_role("dialog")).to_be_visible()
    if refuse == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name=refuse).click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.locator("#status")).to_contain_text(VALID)
    assert page.evaluate("localStorage.length") == 0


def test_a_key_taken_back_is_trusted_no_more(page: Page, site: Site) -> None:
    open_with_bundle(page, site)
    paste(page, encode_base64(KEY))
    page.get_by_role("button", name="Trust it").click()
    expect(page.locator("#status")).to_contain_text(TRUSTED)
    page.get_by_role("button", name=f"Remove the key {fingerprint(KEY)}").click()
    expect(page.locator("#status")).to_contain_text(VALID)
    expect(page.locator("#trusted ul")).to_contain_text("None yet")
    assert saved(page)["keys"] == []


@pytest.mark.parametrize("text", [encode_base64(KEY), KEY.hex(), f"  {KEY.hex().upper()}\n"])
def test_a_key_is_pasted_in_base64_or_hex(page: Page, site: Site, text: str) -> None:
    open_with_bundle(page, site)
    paste(page, text, "its holder")
    page.get_by_role("button", name="Trust it").click()
    expect(page.locator("#status")).to_contain_text(TRUSTED)
    expect(page.locator("#trusted ul")).to_contain_text("from its holder")
    expect(page.get_by_label("Public key, in base64 or hex")).to_have_value("")


def test_what_is_no_key_is_refused(page: Page, site: Site) -> None:
    open_verify(page, site)
    for text in ("x", fingerprint(KEY), encode_base64(KEY)[:-1], "0" * 64, "f" * 64, "€" * 44):
        paste(page, text)
        message = "document.getElementById('key').validationMessage"
        assert "Paste an Ed25519 public key" in page.evaluate(message)
        expect(page.get_by_role("dialog")).to_have_count(0)


def test_another_key_does_not_make_a_bundle_trusted(page: Page, site: Site) -> None:
    open_with_bundle(page, site)
    paste(page, encode_base64(STRANGER.signer.public_key))
    page.get_by_role("button", name="Trust it").click()
    expect(page.locator("#trusted ul code")).to_have_text([STRANGER.fingerprint])
    expect(page.locator("#status")).to_contain_text(VALID)


def test_another_tab_knows_at_once(page: Page, site: Site) -> None:
    open_with_bundle(page, site)
    other = page.context.new_page()
    open_verify(other, site)
    paste(other, encode_base64(KEY))
    other.get_by_role("button", name="Trust it").click()
    expect(page.locator("#status")).to_contain_text(TRUSTED)


DAMAGED = [
    "{", "null", "[]", '{"version":2,"keys":[]}', '{"version":1,"keys":[{}]}',
    '{"version":1,"keys":{"every":1}}',
    '{"version":1,"keys":[{"public_key":"x","added_at":"","source":""}]}',
]  # fmt: skip


def test_a_damaged_list_is_said_to_be_and_trusts_nothing(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/empty")
    for text in DAMAGED:
        page.evaluate("(text) => localStorage.setItem('pith.trusted-keys', text)", text)
        open_with_bundle(page, site)
        expect(page.locator("#trusted .trouble")).to_contain_text("damaged")
        expect(page.locator("#status")).to_contain_text(VALID)
    paste(page, encode_base64(KEY))
    page.get_by_role("button", name="Trust it").click()
    expect(page.locator("#status")).to_contain_text(TRUSTED)
    expect(page.locator("#trusted .trouble")).to_be_empty()


NO_STORAGE = """Object.defineProperty(window, "localStorage", {
  get() { throw new DOMException("denied", "SecurityError"); },
});"""


def test_where_nothing_is_kept_keys_are_trusted_until_one_leaves(page: Page, site: Site) -> None:
    page.add_init_script(NO_STORAGE)
    open_with_bundle(page, site)
    expect(page.locator("#trusted .trouble")).to_contain_text("until you leave")
    paste(page, encode_base64(KEY))
    page.get_by_role("button", name="Trust it").click()
    expect(page.locator("#status")).to_contain_text(TRUSTED)
    paste(page, encode_base64(STRANGER.signer.public_key))
    page.get_by_role("button", name="Trust it").click()
    expect(page.locator("#trusted ul code")).to_have_count(2)
