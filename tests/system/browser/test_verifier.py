"""In Chromium the verifier says of every bundle what the one in Python says, check by check."""

import pytest
from playwright.sync_api import Page
from support.browser.site import Site
from support.browser.verifier import reports_of, results_of
from support.javascript.agreement import (
    changed_characters,
    differences,
    forged_documents,
    json_documents,
    large_documents,
    mutated_documents,
    named_documents,
    vector_calls,
)

pytestmark = pytest.mark.browser
pytest_plugins = ["support.browser.fixtures"]


@pytest.fixture
def opened(page: Page, site: Site) -> Page:
    page.goto(f"{site.url}/empty")
    return page


def test_it_agrees_on_published_bundles_vectors_and_every_named_case(
    opened: Page, site: Site
) -> None:
    documents = named_documents()
    assert len(documents) > 230
    assert differences(documents, reports_of(opened, site, documents)) == []


def test_it_agrees_on_two_thousand_changed_characters(opened: Page, site: Site) -> None:
    documents = changed_characters(2000)
    assert len({*documents.values()}) > 1900
    assert differences(documents, reports_of(opened, site, documents)) == []


def test_it_agrees_on_mutations_of_every_kind(opened: Page, site: Site) -> None:
    documents = mutated_documents(500)
    assert differences(documents, reports_of(opened, site, documents)) == []


def test_it_agrees_on_forgeries(opened: Page, site: Site) -> None:
    documents = forged_documents(100)
    assert differences(documents, reports_of(opened, site, documents)) == []


def test_it_reads_json_as_strictly(opened: Page, site: Site) -> None:
    documents = json_documents()
    assert differences(documents, reports_of(opened, site, documents)) == []


def test_it_agrees_on_texts_of_megabytes(opened: Page, site: Site) -> None:
    documents = large_documents()
    assert differences(documents, reports_of(opened, site, documents)) == []


def test_it_agrees_with_the_vectors_of_single_rules(opened: Page) -> None:
    calls, due = zip(*vector_calls(), strict=True)
    assert results_of(opened, list(calls)) == list(due)
