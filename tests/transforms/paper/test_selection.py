"""Which papers a filter takes."""

from datetime import date

import pytest
from support.papers.snapshot_rows import line, older_row, row

from transforms import Paper
from transforms.paper.selection import SeenIds, Selection
from transforms.parsing.kaggle import parse_line

CATEGORIES = [
    ("math.NT cs.CR", {"math.NT"}, True),
    ("math.NT cs.CR", {"cs.CR"}, True),
    ("math.NT cs.CR", {"math"}, True),
    ("math.NT cs.CR", {"hep-th", "cs"}, True),
    ("math.NT cs.CR", {"math.CO"}, False),
    ("math.NT cs.CR", {"math.N", "mat", "c"}, False),
    ("math-ph", {"math"}, False),
    ("math.MP", {"math-ph"}, False),
    ("astro-ph.CO", {"astro-ph"}, True),
    ("astro-ph", {"astro-ph"}, True),
    ("astro-ph", {"astro-ph.CO"}, False),
    ("hep-th", {"physics"}, False),
    ("hep-th", set[str](), True),
]
DAY = date(2011, 2, 3)
DAYS = [
    (None, None, True),
    (DAY, None, True),
    (None, DAY, True),
    (DAY, DAY, True),
    (date(2011, 2, 4), None, False),
    (None, date(2011, 2, 2), False),
    (date(2011, 2, 4), date(2011, 2, 2), False),
]


def paper(**fields: str) -> Paper:
    return parse_line(line(row(**fields)))


@pytest.mark.parametrize(("categories", "wanted", "taken"), CATEGORIES)
def test_any_category_counts_and_an_archive_stands_for_its_classes(
    categories: str, wanted: set[str], *, taken: bool
) -> None:
    selection = Selection(categories=frozenset(wanted))
    assert selection.matches(paper(categories=categories)) is taken


@pytest.mark.parametrize(("first", "until", "taken"), DAYS)
def test_both_days_are_included(first: date | None, until: date | None, *, taken: bool) -> None:
    assert Selection(first=first, until=until).matches(paper(update_date="2011-02-03")) is taken


def test_category_and_day_must_both_match() -> None:
    selection = Selection(frozenset({"cs"}), DAY, DAY)
    assert selection.matches(paper(categories="cs.LG", update_date="2011-02-03"))
    assert not selection.matches(paper(categories="cs.LG", update_date="2011-02-04"))
    assert not selection.matches(paper(categories="hep-th", update_date="2011-02-03"))


def test_a_paper_without_a_day_is_within_no_bounds() -> None:
    undated = parse_line(line(older_row()))
    assert undated.datestamp is None
    assert Selection().matches(undated)
    assert not Selection(first=date.min).matches(undated)
    assert not Selection(until=date.max).matches(undated)


def test_an_id_is_new_once() -> None:
    ids = ["0704.0001", "0704.00010", "1704.0001", "math/0704000", "math.NT/0704000", "0704.1001"]
    seen = SeenIds()
    assert [seen.add(arxiv_id) for arxiv_id in ids] == [True] * len(ids)
    assert [seen.add(arxiv_id) for arxiv_id in ids] == [False] * len(ids)
