"""The imitated Atom API, read by the public client."""

from dataclasses import replace

import arxiv  # type: ignore[import-untyped]
import httpx
import pytest
from arxiv_server import ArxivServer
from lxml import etree
from support.papers.captured import ARXIV, needs_shared
from support.papers.oai_client import TODAY

pytestmark = pytest.mark.process


def search(server: ArxivServer, **query: object) -> list[arxiv.Result]:
    """Ask with the public client, without its pauses."""
    public = arxiv.Client(page_size=15, delay_seconds=0, num_retries=0)
    public.query_url_format = server.atom_url + "?{}"
    return list(public.results(arxiv.Search(**query)))


def test_the_arxiv_package_reads_the_feed(server: ArxivServer) -> None:
    """The public client pages through a category and reads every field."""
    works = {work.id: work for work in server.library.works()}
    found = search(server, query="all:we")
    assert len(server.requests) == -(-len(found) // 15)
    listed = {work.id for work in works.values() if "cs.LG" in work.categories}
    results = search(server, query="cat:cs.LG")
    assert {result.get_short_id().rpartition("v")[0] for result in results} == listed
    for result in results:
        work = works[result.get_short_id().rpartition("v")[0]]
        assert result.entry_id == f"http://arxiv.org/abs/{work.id}v{work.newest.number}"
        assert result.primary_category == work.categories[0]
        assert tuple(result.categories) == work.categories
        assert result.published == work.versions[0].created
        assert result.updated == work.newest.created
        assert result.doi == work.doi
        assert len(result.authors) == work.authors.count(",") + 1


def test_the_feed_rewrites_tex(server: ArxivServer) -> None:
    """Accents and Greek become Unicode, even within mathematics."""
    work = server.library.works()[0]
    server.library.revise(
        work.id,
        TODAY,
        title='Schr\\"odinger and Erd\\H{o}s at $\\mu$KE',
        authors="\\'Eva M{\\\"u}ller and S{\\o}ren Fran\\c{c}ois",
    )
    (result,) = search(server, id_list=[work.id])
    assert result.title == "Schrödinger and Erdős at $μ$KE"
    names = [author.name for author in result.authors]
    assert names == ["Éva Müller", "Søren François"]
    assert [found.entry_id for found in search(server, query="ti:erdős AND ti:KE")] == [
        result.entry_id
    ]
    assert search(server, query="ti:erdős AND cat:nosuch.XX") == []


def test_ids_known_and_unknown(client: httpx.Client, server: ArxivServer) -> None:
    """A version may be named; an unknown id gives no entry, a malformed one HTTP 400."""
    work = next(work for work in server.library.works() if len(work.versions) > 1)
    (newest,) = search(server, id_list=[work.id])
    assert newest.entry_id.endswith(f"{work.id}v{work.newest.number}")
    (first,) = search(server, id_list=[f"{work.id}v1", "2101.99999"])
    assert first.entry_id.endswith(f"{work.id}v1")
    assert first.updated == first.published == work.versions[0].created
    assert search(server, id_list=[f"{work.id}v99"]) == []
    unknown = client.get(server.atom_url, params={"id_list": "0000.0000"})
    assert unknown.status_code == 200
    assert "totalResults>0<" in unknown.text
    assert "<entry>" not in unknown.text
    malformed = client.get(server.atom_url, params={"id_list": "abc"})
    assert malformed.status_code == 400
    assert "<summary>incorrect id format for abc</summary>" in malformed.text
    assert client.get(server.atom_url, params={"start": "-1"}).status_code == 400
    with pytest.raises(arxiv.HTTPError):
        search(server, id_list=["abc"])


def test_sorting_and_slices(client: httpx.Client, server: ArxivServer) -> None:
    """Results sort by either date; a slice holds 2,000 at most."""
    found = search(server, query="all:we", sort_by=arxiv.SortCriterion.SubmittedDate)
    published = [result.published for result in found]
    assert published == sorted(published, reverse=True)
    found = search(
        server,
        query="all:we",
        sort_by=arxiv.SortCriterion.LastUpdatedDate,
        sort_order=arxiv.SortOrder.Ascending,
    )
    updated = [result.updated for result in found]
    assert updated == sorted(updated)
    assert len(set(updated)) > 10
    model = server.library.works()[0]
    server.library.add(*(replace(model, id=f"9901.{n:05d}") for n in range(2010)))
    many = {"search_query": f"cat:{model.categories[0]}", "max_results": "3000"}
    assert client.get(server.atom_url, params=many).text.count("<entry>") == 2000
    many["max_results"] = "30001"
    assert client.get(server.atom_url, params=many).status_code == 400


@needs_shared
def test_feeds_have_the_apis_shape(client: httpx.Client, server: ArxivServer) -> None:
    """Feeds and entries hold the same elements in the same order as captured ones."""

    def shape(node: etree._Element) -> list[str]:
        tags = [str(child.tag) for child in node]
        return [tag for n, tag in enumerate(tags) if n == 0 or tag != tags[n - 1]]

    atom = "{http://www.w3.org/2005/Atom}"
    model = server.library.works()[0]
    full = replace(model, comments="c", journal_ref="j", doi="10.5555/1")
    server.library.add(full)
    page = etree.fromstring((ARXIV / "atom" / "atom_search_page_2026-04.xml").read_bytes())
    ours = etree.fromstring(client.get(server.atom_url, params={"id_list": full.id}).content)
    assert shape(ours) == shape(page)
    assert shape(ours.findall(f"{atom}entry")[0]) == shape(page.findall(f"{atom}entry")[0])
    error = etree.fromstring((ARXIV / "atom" / "atom_error_HTTP400_2026-04.xml").read_bytes())
    bad = etree.fromstring(client.get(server.atom_url, params={"id_list": "abc"}).content)
    assert shape(bad) == shape(error)
    assert shape(bad.findall(f"{atom}entry")[0]) == shape(error.findall(f"{atom}entry")[0])
