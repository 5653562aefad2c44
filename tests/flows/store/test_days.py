"""Ranges of days are what the days in them are: compared with plain sets of days."""

from datetime import date, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.store.catalog.days import EARLIEST, ONE_DAY, Days, days_over, holes, union
from flows.store.catalog.window import holds

BEGIN = date(2026, 2, 20)
SOME_DAYS = st.integers(0, 40).map(lambda number: BEGIN + timedelta(days=number))
RANGES = st.lists(
    st.tuples(SOME_DAYS, SOME_DAYS).map(lambda both: Days(min(both), max(both))), max_size=9
)


def each(ranges: list[Days]) -> list[date]:
    return [
        one.first + timedelta(days=number)
        for one in ranges
        for number in range((one.last - one.first).days + 1)
    ]


@given(RANGES)
def test_united_ranges_have_the_same_days_each_once_and_in_order(ranges: list[Days]) -> None:
    assert each(union(ranges)) == sorted(set(each(ranges)))


@given(RANGES)
def test_united_ranges_are_as_few_as_can_be(ranges: list[Days]) -> None:
    days = set(each(ranges))
    begins = [day for day in days if day - ONE_DAY not in days]
    assert [one.first for one in union(ranges)] == sorted(begins)


@given(RANGES, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_changes_what_is_united(
    ranges: list[Days], choose: Random
) -> None:
    others = ranges * 2
    choose.shuffle(others)
    assert union(others) == union(ranges) == union(union(ranges))


@given(RANGES)
def test_ranges_and_holes_together_are_one_range_without_any_day_twice(ranges: list[Days]) -> None:
    joined = union(ranges)
    days = each(joined) + each(holes(joined))
    assert len(days) == len(set(days))
    if joined:
        assert union([*joined, *holes(joined)]) == [Days(joined[0].first, joined[-1].last)]


def test_the_first_and_the_last_day_of_all_can_be_united() -> None:
    ends = [Days(date.max, date.max), Days(date.min, date.min)]
    assert union(ends) == sorted(ends)
    assert union([Days(date.min, date.max), *ends]) == [Days(date.min, date.max)]


@given(st.none() | SOME_DAYS, st.none() | SOME_DAYS, SOME_DAYS)
def test_a_day_is_over_when_the_next_one_has_begun(
    first: date | None, until: date | None, today: date
) -> None:
    found = days_over(first, until, today)
    begin = BEGIN - timedelta(days=5) if first is None else first
    days = [BEGIN + timedelta(days=number) for number in range(-5, 45)]
    expected = [
        day for day in days if begin <= day < today and (until is None or day <= until)
    ]  # fmt: skip
    assert [day for day in each([found] if found else []) if day in days] == expected
    if found:
        assert found.first == (first or EARLIEST)


@pytest.mark.parametrize(
    ("set_spec", "other"),
    [
        (None, None),
        (None, "cs:cs:LG"),
        ("cs", "cs:cs:LG"),
        ("cs:cs", "cs:cs:LG"),
        ("cs:cs:LG", "cs:cs:LG"),
        ("physics", "physics:hep-th"),
    ],
)
def test_a_set_holds_itself_and_the_sets_below(set_spec: str | None, other: str | None) -> None:
    assert holds(set_spec, other)


@pytest.mark.parametrize(
    ("set_spec", "other"),
    [
        ("cs:cs:LG", None),
        ("cs:cs:LG", "cs:cs"),
        ("cs:cs:L", "cs:cs:LG"),
        ("physics:physics", "physics:hep-th"),
    ],
)
def test_a_set_holds_neither_one_above_nor_one_beside(set_spec: str, other: str | None) -> None:
    assert not holds(set_spec, other)
