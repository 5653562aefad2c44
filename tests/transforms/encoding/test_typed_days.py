"""Whatever day people type is read, and the same on every machine; what is no day is refused."""

import locale
from contextlib import suppress
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.encoding.days import EXAMPLES, BadDayError, read_day

TODAY = date(2026, 11, 21)  # a Saturday
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
WEEKDAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
GOOD = {
    "2026-11-14": date(2026, 11, 14),
    " 2026-11-14\n": date(2026, 11, 14),
    "2027-01-01": date(2027, 1, 1),
    "14 Nov": date(2026, 11, 14),
    "14nov": date(2026, 11, 14),
    "Nov 14": date(2026, 11, 14),
    "nov. 14": date(2026, 11, 14),
    "21 November": TODAY,
    "22 Nov": date(2025, 11, 22),
    "14 Nov 2025": date(2025, 11, 14),
    "14-Nov-2025": date(2025, 11, 14),
    "Nov 14, 2025": date(2025, 11, 14),
    "1 SEPT. 2025": date(2025, 9, 1),
    "29 Feb": date(2024, 2, 29),
    "today": TODAY,
    "Yesterday": date(2026, 11, 20),
    "saturday": TODAY,
    "Sunday": date(2026, 11, 15),
    "fri": date(2026, 11, 20),
    "0d": TODAY,
    "7d": date(2026, 11, 14),
    "7 days ago": date(2026, 11, 14),
    "2w": date(2026, 11, 7),
    "3m": date(2026, 8, 21),
    "1 year ago": date(2025, 11, 21),
}
BAD = [
    "", " ", "x", "14", "14/11/2026", "11/14", "2026-11-31", "2026-13-01", "0000-01-01",
    "31 Nov", "0 Nov", "32 Jan 2025", "29 Feb 2025", "14 No", "14 Novembre", "14 Nov 25",
    "tomorrow", "t", "sa", "-7d", "7x", "99999y", "3.5d", "\uff17d", "14 Nov\0",
    "2026-11-14T00:00:00Z", "🙂", "7d" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("text", GOOD)
def test_a_day_that_people_type_is_read(text: str) -> None:
    assert read_day(text, TODAY) == GOOD[text]


@pytest.mark.parametrize("text", BAD, ids=lambda text: repr(text[:20]))
def test_what_is_no_day_is_refused_with_examples(text: str) -> None:
    with pytest.raises(BadDayError, match="is no day; give one such as 2026-11-14") as caught:
        read_day(text, TODAY)
    assert len(str(caught.value)) < 200


def test_every_example_is_read() -> None:
    each = EXAMPLES.replace(" (seven days ago)", "").replace(" or ", ", ").split(", ")
    days = {text: read_day(text, TODAY) for text in each}
    assert len(days) == 6
    assert days["friday"] == days["yesterday"]


def test_months_of_different_lengths_end_on_their_last_day() -> None:
    assert read_day("1m", date(2026, 3, 31)) == date(2026, 2, 28)
    assert read_day("1y", date(2024, 2, 29)) == date(2023, 2, 28)
    assert read_day("29 Feb", date(1903, 1, 1)) == date(1896, 2, 29)


DAYS = st.dates(date(1, 1, 10), date(9999, 12, 31))


@given(DAYS, DAYS)
def test_a_day_with_its_year_is_itself_in_every_form_on_every_day(day: date, today: date) -> None:
    month = MONTHS[day.month - 1]
    for text in (
        day.isoformat(),
        f"{day.day} {month} {day.year:04}",
        f"{month} {day.day}, {day.year:04}",
    ):
        assert read_day(text, today) == day


@given(st.dates(date(1900, 1, 1), date(9999, 12, 31)), st.integers(0, 5000))
def test_what_has_no_year_is_the_last_such_day(today: date, back: int) -> None:
    assert read_day(f"{back}d", today) == today - timedelta(days=back)
    near = today - timedelta(days=back % 365)
    text = f"{near.day} {MONTHS[near.month - 1].lower()}"
    assert read_day(text, today) == near
    day = read_day(WEEKDAYS[back % 7], today)
    assert (today - day).days in range(7)
    assert day.weekday() == back % 7


PIECES = st.sampled_from(["14", "2026", "-", " ", "nov", "may", "d", "ago", ",", "fri", "today"])


@given(st.text(max_size=60) | st.lists(PIECES, max_size=8).map("".join), st.dates())
def test_any_text_gives_a_day_or_that_error(text: str, today: date) -> None:
    with suppress(BadDayError):
        assert isinstance(read_day(text, today), date)


def test_the_locale_does_not_matter() -> None:
    before = locale.setlocale(locale.LC_ALL)
    read = dict[str, date]()
    try:
        for name in ("de_DE.UTF-8", "fr_FR.UTF-8", "C.UTF-8", "C"):
            with suppress(locale.Error):
                locale.setlocale(locale.LC_ALL, name)
                read[name] = read_day("14 Dec 2025", TODAY)
    finally:
        locale.setlocale(locale.LC_ALL, before)
    assert read["C"] == date(2025, 12, 14)
    assert set(read.values()) == {date(2025, 12, 14)}
