"""The search index finds papers by words, category, licence and days, the newest first."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from support.papers.snapshot_rows import line, row
from support.runs.jobs import backfill_snapshot
from support.runs.runs import config_in

from flows.common.errors import StoreError
from flows.store.layout import Layout
from flows.store.search.build import update_index
from flows.store.search.file import DamagedIndexError
from flows.store.search.query import MOST_FOUND, Facet, SearchIndex, SearchQuery
from transforms.paper.selection import Selection

CC_BY = "http://creativecommons.org/licenses/by/4.0/"


def created(day: str) -> list[dict[str, str]]:
    return [{"version": "v1", "created": f"Mon, {day} 04:22:14 GMT"}]


PAPERS = [
    row("0903.0001", title=r"Schr\"odinger operators", authors="Erd\\H{o}s P\\'al and B. Two"),
    row("0903.0002", title="Schrödinger's cat", authors="Jane Doe", license=CC_BY),
    row("1003.0003", title="On $L^2$-cohomology of networks", categories="math.AT",
        versions=created("15 Mar 2010"), authors="José Müller"),
    row("1003.0004", title="Networks", categories="cs.LG math.AT", license=None,
        versions=created("16 Mar 2010")),
]  # fmt: skip


def fill(folder: Path, rows: list[dict[str, object]]) -> Layout:
    """Backfill some rows, and bring the index up to date."""
    file = folder / "snapshot.jsonl"
    file.write_bytes(b"".join(map(line, rows)))
    backfill_snapshot(config_in(folder), file, Selection())
    layout = Layout(folder / "data")
    update_index(layout, pytest.fail)
    return layout


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchIndex]:
    layout = fill(tmp_path_factory.mktemp("papers"), PAPERS)
    opened = SearchIndex(layout.search)
    yield opened
    opened.close()


def ids(index: SearchIndex, text: str = "", **wanted: object) -> list[str]:
    found = index.search(SearchQuery(text=text, **wanted))  # type: ignore[arg-type]  # as fields
    assert found.count == len(found.papers)
    return [paper.arxiv_id for paper in found.papers]


def test_words_are_found_however_their_accents_are_typed(index: SearchIndex) -> None:
    for text in ("schrodinger", "Schrödinger", r"Schr\"odinger", r"SCHR{\"o}DINGER", "schröd"):
        assert ids(index, text) == ["0903.0002", "0903.0001"]
    assert ids(index, "erdős pal") == ids(index, "Pal ERDOS") == ["0903.0001"]


def test_all_words_must_be_there_and_the_last_may_be_a_beginning(index: SearchIndex) -> None:
    assert ids(index, "netw") == ids(index, "networks") == ["1003.0004", "1003.0003"]
    assert ids(index, "muller netw") == ["1003.0003"]
    assert ids(index, "netw muller") == []
    assert ids(index, "L2 cohomology") == []
    assert ids(index, "L^2-cohomology") == ["1003.0003"]


def test_the_commonest_words_are_left_aside_beside_others(index: SearchIndex) -> None:
    assert ids(index, "the networks of") == ids(index, "networks")
    assert ids(index, "of") == ids(index, "the of") == ["1003.0003"]
    assert ids(index, "netw of") == []


def test_a_long_word_is_a_beginning_where_it_is_no_word(index: SearchIndex) -> None:
    assert ids(index, "network") == ids(index, "networks") == ["1003.0004", "1003.0003"]
    assert ids(index, "operator") == ["0903.0001"]
    assert ids(index, "operato two") == []


def test_a_beginning_of_two_letters_is_a_word(index: SearchIndex) -> None:
    assert ids(index, "ne") == []
    assert ids(index, "on") == ["1003.0003"]


def test_filters_hold_together_with_words(index: SearchIndex) -> None:
    assert ids(index, category="math.AT") == ["1003.0004", "1003.0003"]
    assert ids(index, category="math") == ids(index, category="math.AT")
    assert ids(index, "networks", category="cs.LG") == ["1003.0004"]
    assert ids(index, licence=CC_BY) == ["0903.0002"]
    assert ids(index, "networks", licence=CC_BY) == []
    assert ids(index, category="hep-th") == []


def test_days_are_those_of_the_first_version_both_included(index: SearchIndex) -> None:
    day = date(2010, 3, 15)
    assert ids(index, first=day, until=day) == ["1003.0003"]
    assert ids(index, "networks", first=date(2010, 3, 16)) == ["1003.0004"]
    assert ids(index, until=date(2009, 3, 3)) == ["0903.0002", "0903.0001"]
    assert ids(index, "networks", first=date.min, until=date.max) == ["1003.0004", "1003.0003"]


def test_without_anything_asked_the_newest_papers_come(index: SearchIndex) -> None:
    assert ids(index) == ["1003.0004", "1003.0003", "0903.0002", "0903.0001"]


@pytest.mark.parametrize(
    "text",
    ['"', "'; DROP TABLE papers; --", "NEAR(", "text:networks", "*", "^", "x\x00y", "§1", "AND",
     "OR NOT", "(((", "\\" * 1000, "x" * 100_000, "{}" * 500, "\ud800", "💣", "q " * 5000],
)  # fmt: skip
def test_nothing_that_is_typed_is_an_operator_or_an_error(index: SearchIndex, text: str) -> None:
    assert ids(index, text) == []


def test_a_page_shows_some_and_the_count_is_of_all(index: SearchIndex) -> None:
    found = index.search(SearchQuery(), start=1, most=2)
    assert [paper.arxiv_id for paper in found.papers] == ["1003.0003", "0903.0002"]
    assert (found.count, found.is_more) == (4, False)


def test_a_found_paper_is_told_as_the_tables_have_it(index: SearchIndex) -> None:
    (paper,) = index.search(SearchQuery(text="muller")).papers
    assert (paper.title, paper.authors) == ("On $L^2$-cohomology of networks", "José Müller")
    assert (paper.version, paper.categories) == (1, ["math.AT"])
    assert (paper.submitted, paper.withdrawn) == (date(2010, 3, 15), False)
    assert paper.pith_number.startswith("pith:2010:")


def test_facets_are_counted(index: SearchIndex) -> None:
    counted = [Facet("cs", 3), Facet("cs.LG", 3), Facet("math", 2), Facet("math.AT", 2),
               Facet("stat", 2), Facet("stat.ML", 2)]  # fmt: skip
    assert index.facets("category") == counted
    assert Facet(CC_BY, 1) in index.facets("licence")


def test_more_than_a_thousand_are_not_counted(tmp_path: Path) -> None:
    layout = fill(tmp_path, [row(f"0903.{number:05}") for number in range(MOST_FOUND + 20)])
    index = SearchIndex(layout.search)
    for query in (SearchQuery(text="title"), SearchQuery(category="cs"), SearchQuery()):
        found = index.search(query, start=MOST_FOUND - 5, most=20)
        assert (found.count, found.is_more, len(found.papers)) == (MOST_FOUND, True, 5)
    index.close()


def test_a_new_version_replaces_the_paper_with_its_words(tmp_path: Path) -> None:
    layout = fill(tmp_path, [row("0903.0001", title="Old words")])
    index = SearchIndex(layout.search)
    again = [
        {"version": "v1", "created": "Tue, 03 Mar 2009 04:22:14 GMT"},
        {"version": "v2", "created": "Mon, 01 Mar 2010 04:22:14 GMT"},
    ]
    changed = row("0903.0001", title="New terms", versions=again, categories="hep-th")
    fill(tmp_path, [changed | {"update_date": "2012-01-01"}, row("0903.0002", title="Other")])
    assert ids(index, "old") == ids(index, "words") == ids(index, "old", category="cs") == []
    assert ids(index, category="cs") == ["0903.0002"]
    assert ids(index, "new terms", category="hep-th") == ["0903.0001"]
    assert index.search(SearchQuery(text="terms")).papers[0].version == 2
    assert index.state().papers == 2
    index.close()


def test_without_an_index_a_search_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no search index") as raised:
        SearchIndex(tmp_path / "search.sqlite").search(SearchQuery())
    assert not isinstance(raised.value, DamagedIndexError)
