"""The browser of the tests itself: it runs, and what a page complains of does not go unheard."""

import os
import subprocess
import sys

import pytest
from playwright.sync_api import Page
from support.browser.accessibility import serious_findings
from support.browser.chromium import REQUIRED
from support.browser.complaints import Complaints
from support.browser.site import Document, Site
from support.paths import ROOT

pytestmark = pytest.mark.browser
pytest_plugins = ["support.browser.fixtures"]


def test_it_verifies_signatures(page: Page, site: Site) -> None:
    page.goto(f"{site.url}/empty")
    made = "crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify'])"
    assert page.evaluate(f"{made}.then((pair) => pair.publicKey.algorithm.name)") == "Ed25519"


def test_a_script_in_the_page_does_not_run_and_is_heard(
    page: Page, site: Site, complaints: Complaints
) -> None:
    site.add_main("/inline", "<script>document.title = 'ran'</script>")
    page.goto(f"{site.url}/inline")
    assert page.title() == "A page"
    assert any("Content Security Policy" in heard for heard in complaints.unexpected())
    complaints.expect("Content Security Policy")


def test_errors_of_pages_and_of_workers_are_heard(
    page: Page, site: Site, complaints: Complaints
) -> None:
    script = "text/javascript"
    site.documents["/worker.js"] = Document(b"console.error('from a worker')", script)
    site.documents["/script.js"] = Document(b"new Worker('/worker.js'); missing()", script)
    site.add_main("/errors", "<script src='/script.js'></script>")
    with (
        page.expect_console_message(lambda message: message.text == "from a worker"),
        page.expect_event("pageerror"),
    ):
        page.goto(f"{site.url}/errors")
    assert any("missing is not defined" in heard for heard in complaints.unexpected())
    complaints.expect("missing is not defined")
    complaints.expect("from a worker")


def test_a_request_to_another_machine_is_heard(
    page: Page, site: Site, complaints: Complaints
) -> None:
    page.goto(f"{site.url}/empty")
    page.evaluate("fetch('https://127.0.0.2:65000/').catch(() => null)")
    complaints.expect("a request to https://127.0.0.2:65000/")
    complaints.expect("ERR_CONNECTION_REFUSED")


def test_axe_finds_what_is_serious(page: Page, site: Site, complaints: Complaints) -> None:
    site.add_main("/nameless", "<h1>Nothing</h1><button></button>")
    page.goto(f"{site.url}/nameless")
    assert [text.split(":")[0] for text in serious_findings(page, complaints)] == ["critical"]


@pytest.mark.parametrize(("required", "outcome"), [("", "1 skipped"), ("1", "1 error")])
def test_without_chromium_tests_are_left_out_or_fail_as_told(required: str, outcome: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", f"{__file__}::test_it_verifies_signatures"],
        cwd=ROOT,
        env={**os.environ, "PATH": "/nowhere", REQUIRED: required},
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome in done.stdout
    assert "apt-get install chromium" in done.stdout
