"""The site over real HTTP: every page, what it says of what is there, and hostile texts in it."""

import json
import re
from collections.abc import Iterator
from datetime import date
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest
from arxiv_server import ArxivServer, make_library
from lxml import html
from support.papers.oai_pages import page as oai_page
from support.papers.oai_pages import record as oai_record
from support.papers.oai_pages import version
from support.papers.snapshot_rows import line, row
from support.registry.site_server import NAME, serve_pages
from support.runs.jobs import backfill_categories, backfill_raw, backfill_snapshot
from support.runs.runs import SAMPLE, config_for, config_in, process

from transforms.paper.selection import Selection

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\"'"
LINKS = re.compile(r'(?:href|action|src)="([^"]*)"')


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sample, a paper with a history, and one that is hostile."""
    folder = tmp_path_factory.mktemp("site")
    backfill_raw(config_in(folder), [SAMPLE])
    process(folder, oai_page(oai_record("0903.0442", title="New words here", authors="Old Author")))
    changed = oai_record(
        "0903.0442", title="New words here", authors="New Author", datestamp="2012-01-01"
    )
    process(folder, oai_page(changed))
    process(folder, oai_page(oai_record("0903.0443", versions=version(1) + version(2))))
    hostile = row(
        "0903.0666", title=HOSTILE, authors=HOSTILE, comments=HOSTILE, abstract=HOSTILE,
        license="javascript:alert(1)", journal_ref=HOSTILE, doi=HOSTILE,
    )  # fmt: skip
    file = folder / "hostile.jsonl"
    file.write_bytes(line(hostile) + b"no json\n")
    backfill_snapshot(config_in(folder), file, Selection())
    return folder


@pytest.fixture(scope="module")
def client(folder: Path) -> Iterator[httpx.Client]:
    headers = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    with serve_pages(folder) as url, httpx.Client(base_url=url, headers=headers) as client:
        yield client


def record_page(client: httpx.Client, name: str) -> str:
    reply = client.get(f"/pith/{name}", follow_redirects=True)
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    return reply.text


def tree(page: str) -> html.HtmlElement:
    return html.fromstring(page)


def found(element: html.HtmlElement, path: str) -> list[Any]:
    """Return what an XPath that selects finds."""
    selected = element.xpath(path)
    assert isinstance(selected, list)
    return selected


def texts(page: str) -> str:
    return " ".join(tree(page).text_content().split())


def test_every_page_is_there_and_leads_nowhere_that_is_not(client: httpx.Client) -> None:
    seen, due = set[str](), ["/"]
    while due:
        path = due.pop()
        reply = client.get(path, follow_redirects=True)
        assert reply.status_code == 200, path
        seen.add(path)
        if reply.headers["content-type"].startswith("text/html"):
            links = {unescape(link) for link in LINKS.findall(reply.text)}
            ours = {link.partition("#")[0] for link in links if link.startswith("/")}
            due += [link for link in ours - seen if link not in due]
    assert {"/search", "/runs", "/windows", "/rejects", "/vanished", "/verify"} <= seen
    assert any(path.endswith("/report.json") for path in seen)
    assert len([path for path in seen if path.startswith("/pith/")]) >= 4


def test_no_page_has_an_inline_style_or_script(client: httpx.Client) -> None:
    for path in (
        "/",
        "/search?q=words",
        "/runs",
        "/windows",
        "/rejects",
        "/verify",
        "/pith/0903.0442",
    ):
        page = tree(client.get(path, follow_redirects=True).text)
        assert found(page, "//@style | //style") == []
        assert [one.get("type") for one in found(page, "//script[not(@src)]")] in (
            [], ["application/ld+json"]
        )  # fmt: skip
        assert not [name for name in found(page, "//@*") if name.attrname.startswith("on")]


def test_home_tells_the_name_the_key_and_how_much_there_is(client: httpx.Client) -> None:
    home = client.get("/").text
    key = client.get("/pith-signing-key.json").json()
    shown = texts(home)
    assert NAME in shown
    assert key["fingerprint_sha256_hex"] in shown
    figures = found(tree(home), "//dl[@class='figures']/div")
    assert "records12" in {"".join(one.text_content().split()) for one in figures}
    assert "Nothing was harvested from arXiv here yet" in shown
    assert home.count('role="img"') == 2
    assert home.count("<details>") == 2


def test_a_set_is_called_as_its_category(tmp_path: Path) -> None:
    today = date(2026, 11, 14)
    with ArxivServer(make_library(20, 1, today, 1), today=today) as server:
        config = config_for(tmp_path, server)
        for category in ("cs.LG", "all"):
            assert backfill_categories(config, [category], today, today).exit_status == 0
    with serve_pages(tmp_path) as url, httpx.Client(base_url=url) as client:
        shown = [texts(client.get(path).text) for path in ("/", "/windows")]
    for text in shown:
        assert ("cs.LG" in text, "all of arXiv" in text, "cs:cs" in text) == (True, True, False)


def test_search_finds_with_and_without_accents(client: httpx.Client) -> None:
    counts = {
        client.get("/search", params={"q": q}).text.count("<li>\n")
        for q in ("schrodinger", "Schrödinger")
    }
    assert len(counts) == 1
    assert counts != {0}


def test_filters_stay_in_the_form_and_in_the_pages(client: httpx.Client) -> None:
    asked = {"q": "words", "category": "cs.LG", "from": "2009-01-01", "until": "2010-01-01"}
    page = tree(client.get("/search", params=asked).text)
    values = {one.get("name"): one.get("value") for one in found(page, "//form//input")}
    assert values == {"q": "words", "from": "2009-01-01", "until": "2010-01-01"}


def test_what_finds_nothing_says_what_to_try(client: httpx.Client) -> None:
    page = client.get("/search", params={"q": "words xyzzyq", "category": "hep-th"}).text
    assert "No paper matches “words xyzzyq” with these filters" in texts(page)
    assert "Try fewer or shorter words" in texts(page)
    page = client.get("/search", params={"q": "new xyzzyq"}).text
    assert "without “xyzzyq”: 1 paper" in texts(page)
    page = client.get("/search", params={"q": "new words", "until": "1999-01-01"}).text
    assert "on all days: 1 paper" in texts(page)


def test_a_search_for_a_name_of_a_record_leads_to_it(client: httpx.Client) -> None:
    number = client.get("/pith/0903.0442.json", follow_redirects=True).json()["pith_number"]
    for name in ("0903.0442", "arXiv:0903.0442v1", number):
        reply = client.get("/search", params={"q": name})
        assert (reply.status_code, reply.headers["location"]) == (303, f"/pith/{number[10:]}")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("page=0", "pages are counted from 1"),
        ("page=99999999999", "pages are counted from 1"),
        ("from=yesterday", "'from' is a day"),
        ("from=2020-01-02&until=2020-01-01", "the first day is after the last"),
    ],
)
def test_a_search_that_makes_no_sense_is_told_so(
    client: httpx.Client, query: str, said: str
) -> None:
    reply = client.get(f"/search?{query}")
    assert said in unescape(reply.text)


@pytest.mark.parametrize(
    "query", ["q=%ff%fe", "q=%00", "q=%ED%A0%80", "q=" + "%F0%9F%92%A3" * 90, "q[]=1", "&&&="]
)
def test_no_query_is_an_error(client: httpx.Client, query: str) -> None:
    assert client.get(f"/search?{query}").status_code == 200


def test_too_many_fields_are_refused(client: httpx.Client) -> None:
    assert client.get("/search?" + "&".join(f"a{n}=1" for n in range(50))).status_code == 400


def test_a_record_shows_all_that_the_specification_names(client: httpx.Client) -> None:
    bundle: dict[str, Any] = client.get("/pith/0903.0442/bundle.json", follow_redirects=True).json()
    page = record_page(client, "0903.0442")
    shown = texts(page)
    receipt = bundle["events"][0]["payload"]["receipt"]
    for text in (
        bundle["pith_number"], bundle["short_pith_number"], "arxiv:0903.0442 v1", "New words here",
        "attested", "anchored", "stored", "references", receipt["first_computed_at"],
        receipt["builder_version"], receipt["signature_b64"], receipt["key_id"],
        bundle["canonical_sha256"], *(alias["alias_value"] for alias in bundle["source_aliases"]),
        *(event["event_id"] for event in bundle["events"]),
    ):  # fmt: skip
        assert text in shown
    assert json.dumps(bundle["canonical_record"], indent=2) in tree(page).text_content()
    assert f"curl -sH 'Accept: application/ld+json' {client.base_url}".rstrip("/") in shown


def test_a_record_shows_what_changed_between_its_snapshots(client: httpx.Client) -> None:
    page = tree(record_page(client, "0903.0442"))
    assert found(page, "//del/text()") == ["Old"]
    assert found(page, "//ins/text()") == ["New"]
    assert len(found(page, "//ol[@class='history']/li")) == 2


def test_a_record_names_its_documents_for_machines(client: httpx.Client) -> None:
    page = tree(record_page(client, "0903.0442"))
    suffix = found(page, "//link[@rel='canonical']/@href")[0].rpartition("/")[2]
    alternates = found(page, "//link[@rel='alternate']/@href")
    assert [httpx.URL(one).path for one in alternates] == [
        f"/pith/{suffix}.json", f"/pith/{suffix}/bundle.json", f"/pith/{suffix}/state.json"
    ]  # fmt: skip
    article = json.loads(found(page, "//script[@type='application/ld+json']/text()")[0])
    assert (article["@type"], article["name"]) == ("ScholarlyArticle", "New words here")


def test_nothing_hostile_in_a_paper_becomes_markup(client: httpx.Client) -> None:
    search = client.get("/search", params={"q": "onerror"}).text
    for page in (record_page(client, "0903.0666"), search, client.get("/").text):
        markup = tree(page)
        assert found(markup, "//img | //*[@onerror]") == []
        assert not [
            link for link in found(markup, "//@href") if link.lower().startswith("javascript")
        ]
    page = record_page(client, "0903.0666")
    assert HOSTILE in tree(page).text_content()
    assert "javascript:alert(1)" in texts(page)
    article = json.loads(found(tree(page), "//script[@type='application/ld+json']/text()")[0])
    assert article["name"] == HOSTILE
    assert "license" not in article


def test_runs_have_pages_and_their_reports_no_place_of_this_machine(
    client: httpx.Client, folder: Path
) -> None:
    runs = found(tree(client.get("/runs").text), "//tbody//th/a/text()")
    assert len(runs) == 5
    for run in runs:
        report = client.get(f"/runs/{run}/report.json")
        assert report.json()["run"] == run
        page = client.get(f"/runs/{run}").text
        for text in (report.text, page):
            assert str(folder) not in text
    assert any("hostile.jsonl" in client.get(f"/runs/{run}").text for run in runs)


@pytest.mark.parametrize(
    "run",
    ["%2e%2e%2fcatalog.sqlite", "20990101T000000Z-backfill-0000", "a" * 300, "%00", "%0a"],
)
def test_what_is_no_run_has_no_report(client: httpx.Client, run: str) -> None:
    for address in (f"/runs/{run}", f"/runs/{run}/report.json"):
        assert client.get(address).status_code == 404


def test_rejects_are_listed_with_their_reasons(client: httpx.Client) -> None:
    listed = client.get("/rejects.json").json()
    assert listed["total"] == 2
    reasons = {one["reason"] for one in listed["rows"]}
    assert all(reason in texts(client.get("/rejects").text) for reason in reasons)
    assert all(reason in texts(client.get("/").text) for reason in reasons)
    assert client.get("/rejects.json?page=2").json()["rows"] == []
    assert client.get("/rejects?page=0").status_code == 400


def test_browsers_get_errors_as_pages_and_others_as_problems(client: httpx.Client) -> None:
    page = client.get("/nothing")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "Not Found" in texts(page.text)
    other = client.get("/nothing", headers={"accept": "*/*"})
    assert (other.status_code, other.headers["content-type"]) == (404, "application/problem+json")
    missing = client.get(f"/pith/{'A' * 26}")
    assert "No record has the suffix" in texts(missing.text)


@pytest.mark.parametrize(
    "name", ["../reader.py", "%2e%2e/reader.py", "package.json", "", "ui", "site.css/"]
)
def test_only_files_of_the_site_are_served(client: httpx.Client, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_static_files_have_their_types_and_can_be_kept(client: httpx.Client) -> None:
    types = {
        "site.css": "text/css",
        "pages/verify-record.js": "text/javascript",
        "icon.svg": "image/svg+xml",
        "ui/worker.js": "text/javascript",
    }
    for name, media_type in types.items():
        reply = client.get(f"/static/{name}")
        assert reply.headers["content-type"].startswith(media_type)
        again = client.get(f"/static/{name}", headers={"if-none-match": reply.headers["etag"]})
        assert again.status_code == 304


def test_without_index_and_figures_the_pages_say_so(tmp_path: Path) -> None:
    process(tmp_path, oai_page(oai_record()))
    headers = {"accept": "text/html"}
    with serve_pages(tmp_path, prepared=False) as url:
        assert "being counted" in httpx.get(url, headers=headers).text
        reply = httpx.get(f"{url}/search?q=a", headers=headers)
        assert (reply.status_code, "is being made" in reply.text) == (200, True)
