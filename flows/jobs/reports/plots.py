"""Plots as numbers for the templates: where each shape stands, what the axis says, and the table.

`templates/plots.html` draws them as SVG in the page, of the registry and of a report alike. Not a
library: matplotlib and pygal write styles into their SVG, which the policy of these pages forbids,
Altair's needs a JavaScript engine (vl-convert), and none follows its reader into the dark.
Lengths are in units of the
SVG's view box. No I/O.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from statistics import median

WIDTH, HEIGHT = 720, 200
LETTER = 7
"""Width of a letter of the axis, about."""

MOST_SERIES = 6
"""Archives with a colour of their own; the others are one."""

MANY_MONTHS = 24
"""More are marked by their years."""

_GAP = 0.09
"""On each side of a column, of its width."""

_CAP = 12
"""A day of more than so many times the median is cut: a backfill beside nights."""


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark of an axis: where, and what it says."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Series:
    """What has one colour: its name, the path of its area, its sum."""

    name: str
    path: str
    total: int


@dataclass(frozen=True, slots=True)
class Plot:
    """A plot of stacked areas or bars over time, and the same as a table."""

    series: list[Series]
    across: list[Tick]
    up: list[Tick]
    rows: list[tuple[str, list[int]]]
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Bar:
    """A row of a table with bars: its name, its number, what is said of it, its share of 100."""

    name: str
    value: float
    text: str
    share: float


@dataclass(frozen=True, slots=True)
class Spark:
    """Bars of one number over runs, the last one apart: paths within 100 by `SPARK_HEIGHT`."""

    before: str
    now: str


@dataclass(frozen=True, slots=True)
class Day:
    """A day of a calendar: where it stands, and how it is: `proven`, `open` or `later`."""

    x: int
    y: int
    kind: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """The weeks of a year as columns of days, and what each month is called."""

    days: list[Day]
    months: list[Tick]
    width: int
    first: date
    proven: int
    open: int


def stacked(
    counts: Iterable[tuple[date, str, int]],
    step: str,
    *,
    first: date | None = None,
    order: Sequence[str] = (),
) -> Plot | None:
    """Return counts by date and name as a plot; `step` is `month` or `day`.

    Names stand in `order`, which names all of them, or else those with most first. None where there
    are no counts. Between `first`, or else the first that counts, and the last date every one has
    its place.
    """
    cells: Counter[tuple[date, str]] = Counter()
    totals: Counter[str] = Counter()
    for moment, name, number in counts:
        cells[moment, name] += number
        totals[name] += number
    if not totals:
        return None
    names = list(order) or [name for name, _ in totals.most_common(MOST_SERIES)]
    rest = {name for name in totals if name not in names}
    moments = _moments(first or min(cells)[0], max(cells)[0], step)
    rows = []
    for moment in moments:
        row = [cells[moment, name] for name in names]
        rows.append(
            (_label(moment, step), row + [sum(cells[moment, n] for n in rest)] * bool(rest))
        )
    shown = [*names, *(["other"] if rest else [])]
    return _plot(shown, moments, rows, step)


def _plot(
    names: Sequence[str], moments: Sequence[date], rows: list[tuple[str, list[int]]], step: str
) -> Plot:
    sums = [sum(row) for _, row in rows]
    top, cut = _top(sums) if step == "day" else (_round_up(max(sums)), False)
    edges = [WIDTH * n / len(rows) for n in range(len(rows) + 1)]
    below = [0.0] * len(rows)
    series = []
    for n, name in enumerate(names):
        above = [min(low + row[n], top) for low, (_, row) in zip(below, rows, strict=True)]
        total = sum(row[n] for _, row in rows)
        draw = _area if step == "month" else _columns
        series.append(Series(name, draw(edges, below, above, top), total))
        below = above
    return Plot(series, _across(moments, edges, step), _up(top), rows, cut)


def _top(sums: Sequence[int]) -> tuple[int, bool]:
    """Return the value at the top of the plot, and whether it cuts the largest ones."""
    usual = median(value for value in sums if value) * _CAP
    largest = max(value for value in sums if value <= usual)
    return _round_up(largest), max(sums) > usual


def _round_up(value: int) -> int:
    """Return the next number of one digit and zeros that halves well."""
    size = 1
    while True:
        for digit in (1, 2, 3, 4, 5, 6, 8):
            if value <= digit * size:
                return digit * size
        size *= 10


def _area(edges: Sequence[float], below: Sequence[float], above: Sequence[float], top: int) -> str:
    """Return the path of the steps between two lines; empty where they are one."""
    if list(below) == list(above):
        return ""
    spans = list(zip(pairwise(edges), below, above, strict=True))
    there = "".join(f"V{_y(high, top)}H{end:.1f}" for (_, end), _, high in spans)
    back = "".join(f"V{_y(low, top)}H{start:.1f}" for (start, _), low, _ in reversed(spans))
    return f"M0 {_y(below[0], top)}{there}{back}Z"


def _columns(
    edges: Sequence[float], below: Sequence[float], above: Sequence[float], top: int
) -> str:
    """Return the path of a column for each day that has any, apart from its neighbours."""
    found = []
    for (start, end), low, high in zip(pairwise(edges), below, above, strict=True):
        if high > low:
            gap = _GAP * (end - start)
            foot, head = _y(low, top), _y(high, top)
            found.append(f"M{start + gap:.1f} {foot}V{head}H{end - gap:.1f}V{foot}Z")
    return "".join(found)


def _y(value: float, top: int) -> str:
    return f"{HEIGHT - HEIGHT * value / top:.1f}"


def _up(top: int) -> list[Tick]:
    half = [] if top % 2 else [Tick(HEIGHT / 2, f"{top // 2:,}")]
    return [Tick(0.0, f"{top:,}"), *half, Tick(HEIGHT, "0")]


def _across(moments: Sequence[date], edges: Sequence[float], step: str) -> list[Tick]:
    """Return at most some eight marks: years, months or days."""
    starts = list(zip(moments, edges, strict=False))
    if step == "month" and len(moments) > MANY_MONTHS:
        years = [(f"{moment:%Y}", at) for moment, at in starts if moment.month == 1]
        ticks = [Tick(at, text) for text, at in years[:: -(-len(years) // 8)]]
    else:
        every = -(-len(starts) // 6)
        ticks = [Tick(at, _label(moment, step, short=True)) for moment, at in starts[::every]]
    return [tick for tick in ticks if tick.at + LETTER * len(tick.text) <= WIDTH]


def _label(moment: date, step: str, *, short: bool = False) -> str:
    if step == "month":
        return f"{moment:%Y-%m}"
    return f"{moment.day} {moment:%b}" if short else f"{moment:%Y-%m-%d}"


def _moments(first: date, last: date, step: str) -> list[date]:
    moments = [first]
    while moments[-1] < last:
        days = 32 if step == "month" else 1
        following = moments[-1] + timedelta(days=days)
        moments.append(following.replace(day=1) if step == "month" else following)
    return moments


MOST_BARS = 12
SPARK_HEIGHT = 24
_SPARK_LEAST = 1.0
"""Of a bar for any number above 0, which would be invisible else."""


def bars(
    counts: Iterable[tuple[str, float]],
    write: Callable[[float], str] = "{:,}".format,
    most: int = MOST_BARS,
) -> list[Bar]:
    """Return counts as rows with bars, in their order; what comes after `most` is one row."""
    rows = list(counts)
    if rest := rows[most:]:
        rows = [*rows[:most], (f"{len(rest):,} others", sum(number for _, number in rest))]
    top = max((number for _, number in rows), default=0) or 1
    return [Bar(name, number, write(number), 100 * number / top) for name, number in rows]


def spark(values: Sequence[float], places: int) -> Spark:
    """Return the bars of some values, the last at the right end of `places` places."""
    top = max(values, default=0) or 1
    step = 100 / places
    paths = []
    for place, value in enumerate(values, start=places - len(values)):
        height = max(SPARK_HEIGHT * value / top, _SPARK_LEAST if value else 0)
        start, end = step * place + 1, step * (place + 1) - 1
        foot, head = f"{SPARK_HEIGHT}", f"{SPARK_HEIGHT - height:.1f}"
        paths.append(f"M{start:.1f} {foot}V{head}H{end:.1f}V{foot}Z" if value else "")
    return Spark("".join(paths[:-1]), paths[-1] if paths else "")


CELL = 13
WEEKS = 53


def calendar(proven: Sequence[tuple[date, date]], today: date) -> Calendar:
    """Return the last year up to `today`; `proven` are ranges of days, both ends included."""
    first = today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))
    days: list[Day] = []
    months: list[Tick] = []
    seen = 0
    for number in range(WEEKS * 7):
        day = first + timedelta(days=number)
        week, weekday = divmod(number, 7)
        if day >= today:
            kind = "later"
        else:
            kind = "proven" if any(a <= day <= b for a, b in proven) else "open"
        days.append(Day(week * CELL, weekday * CELL, kind))
        if weekday == 0 and day.month != seen:
            seen = day.month
            if not months or week * CELL - months[-1].at >= 3 * CELL:
                months.append(Tick(week * CELL, f"{day:%b}"))
    kinds = Counter(day.kind for day in days)
    return Calendar(days, months, WEEKS * CELL, first, kinds["proven"], kinds["open"])
