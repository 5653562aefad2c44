"""Days as people type them: `2026-11-14`, `14 Nov`, `yesterday`, `friday`, `7d`."""

import re
from datetime import date, timedelta

EXAMPLES = "2026-11-14, 14 Nov, 14 Nov 2025, yesterday, friday or 7d (seven days ago)"
"""Of what is read, for help and for errors."""

_LONGEST = 40
"""Characters; no day is as long."""

_SHORTEST_NAME = 3

# By their English names, whatever the locale is.
_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september",
           "october", "november", "december")  # fmt: skip
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NAMED = {"today": timedelta(), "yesterday": timedelta(days=1)}

_ISO = re.compile(r"(\d{4})-(\d\d)-(\d\d)", re.ASCII)
_YEAR = r"(?:[\s.,-]\s*(?P<year>\d{4}))?"
_WRITTEN = (
    re.compile(rf"(?P<day>\d{{1,2}})[\s-]*(?P<month>[a-z]{{3,}})\.?{_YEAR}", re.ASCII),
    re.compile(rf"(?P<month>[a-z]{{3,}})\.?[\s-]*(?P<day>\d{{1,2}}){_YEAR}", re.ASCII),
)
_AGO = re.compile(r"(\d{1,5})\s*(?:([dwmy])|(day|week|month|year)s?)(?:\s+ago)?", re.ASCII)


class BadDayError(ValueError):
    """A text that names no day; the message gives examples of those that do."""


def read_day(text: str, today: date) -> date:
    """Return the day that someone means who types `text` on the day `today`.

    A day and a month without year, and a weekday, are the last such day, `today` included. So many
    days, weeks, months or years ago (`7d`, `2w`, `3m`, `1 year ago`) are counted back from `today`,
    months and years to the same day of the month or its last one. Raises `BadDayError`.
    """
    words = text.strip().lower() if len(text) <= _LONGEST else ""
    try:
        day = _named(words, today) or _counted_back(words, today) or _written(words, today)
    except OverflowError:
        day = None  # before the first year
    if day is None:
        raise BadDayError(f"{text!r:.60} is no day; give one such as {EXAMPLES}")
    return day


def _named(words: str, today: date) -> date | None:
    if words in _NAMED:
        return today - _NAMED[words]
    weekday = _place(words, _WEEKDAYS)
    return None if weekday is None else today - timedelta((today.weekday() - weekday) % 7)


def _counted_back(words: str, today: date) -> date | None:
    match = _AGO.fullmatch(words)
    if not match:
        return None
    number, unit = int(match[1]), (match[2] or match[3])[0]
    if unit in "dw":
        return today - timedelta(days=number * (7 if unit == "w" else 1))
    months = today.year * 12 + today.month - 1 - number * (12 if unit == "y" else 1)
    same_or_last = (
        _day(months // 12, months % 12 + 1, day) for day in range(today.day, today.day - 4, -1)
    )
    return next(filter(None, same_or_last), None)


def _written(words: str, today: date) -> date | None:
    if match := _ISO.fullmatch(words):
        return _day(int(match[1]), int(match[2]), int(match[3]))
    found = [match for pattern in _WRITTEN if (match := pattern.fullmatch(words))]
    month = _place(found[0]["month"], _MONTHS) if found else None
    if month is None:
        return None
    day = int(found[0]["day"])
    if found[0]["year"]:
        return _day(int(found[0]["year"]), month + 1, day)
    return _last_such_day(month + 1, day, today)


def _last_such_day(month: int, day: int, today: date) -> date | None:
    """Return the last such day up to `today`; the 29th of February is up to eight years ago."""
    each = (_day(year, month, day) for year in range(today.year, today.year - 9, -1))
    return next((one for one in each if one and one <= today), None)


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _place(word: str, names: tuple[str, ...]) -> int | None:
    """Return the place of the one name that begins so, with three letters at the least."""
    places = [place for place, name in enumerate(names) if name.startswith(word)]
    return places[0] if len(word) >= _SHORTEST_NAME and len(places) == 1 else None
