"""What the figures came to: as values for JSON, and as the table that docs/bench.md has too."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from statistics import median
from typing import TypedDict

from benchmarks.parts.figures import FIGURES, UNITS, Figure, Series
from benchmarks.parts.measure import machine
from benchmarks.parts.runs import Bench

HEAD = ("figure", "is", "floor", "which is", "ratio", "±", "goal", "")
NUMBERS = {1, 2, 4, 5}
"""The columns that are aligned to the right."""

FLOOR = ": four signatures"


class Row(TypedDict):
    """One figure that was measured; `spread` is half the range of its ratios to their median.

    It is None where it was measured once, and `goal` and `is_met` where there is no goal.
    """

    name: str
    unit: str
    value: float
    floor: float
    floor_is: str
    ratio: float
    rounds: int
    spread: float | None
    goal: str | None
    is_met: bool | None


def rows_of(series: Series) -> Iterator[Row]:
    """Yield all figures whose series were measured, in the order of their declarations."""
    for figure in FIGURES:
        if series.keys() >= {figure.series, *figure.floor}:
            yield _row(figure, series)


def _row(figure: Figure, series: Series) -> Row:
    values, unit = series[figure.series], UNITS[figure.unit]
    floors = [sum(parts) for parts in zip(*(series[name] for name in figure.floor), strict=True)]
    # A folder that is made once stands beside the median of those that were made again and again.
    beside = floors if len(floors) == len(values) else [median(floors)] * len(values)
    ratios = [value / floor for value, floor in zip(values, beside, strict=True)]
    value, ratio = median(values) / unit, median(ratios)
    goals = [(figure.goal, ratio, ""), (figure.limit, value, f" {figure.unit}")]
    asked = [(goal, figure_is, of) for goal, figure_is, of in goals if goal]
    return Row(
        name=figure.name,
        unit=figure.unit,
        value=value,
        floor=median(floors) / unit,
        floor_is=figure.floor_is,
        ratio=ratio,
        rounds=len(values),
        spread=spread(ratios),
        goal=", ".join(f"{goal}{of}" for goal, _, of in asked) or None,
        is_met=all(goal.is_met(figure_is) for goal, figure_is, _ in asked) if asked else None,
    )


def spread(values: list[float]) -> float | None:
    """Return half the range of values to their median; None for a single one."""
    return (max(values) - min(values)) / 2 / median(values) if len(values) > 1 else None


class Found(TypedDict):
    """All that `bench.json` has; `seconds` are those of each stage of a run by its report.

    `signatures` is what four signatures took over the whole benchmark, in microseconds: the least,
    the median, the most. It shows the machine's own noise.
    """

    machine: dict[str, str | int]
    sizes: dict[str, int]
    signatures: tuple[float, float, float]
    figures: list[Row]
    seconds: dict[str, dict[str, float]]
    series: Series


def found(bench: Bench, sizes: dict[str, int]) -> Found:
    """Return all that was measured."""
    series = bench.series
    floors = list(chain(*(v for name, v in series.items() if name.endswith(FLOOR))))
    return Found(
        machine=machine(),
        sizes=sizes,
        signatures=(min(floors) * 1e6, median(floors) * 1e6, max(floors) * 1e6),
        figures=list(rows_of(series)),
        seconds=bench.seconds,
        series=series,
    )


def as_text(found: Found) -> str:
    """Return what a person reads."""
    facts, sizes = found["machine"], found["sizes"]
    where = f"{facts['cpus']} cores of {facts['processor']}, Python {facts['python']}"
    least, middle, most = found["signatures"]
    return "\n".join(
        [
            f"{where}, {facts['platform']}",
            f"{sizes['papers']:,} papers, {sizes['rounds']} rounds; big: {sizes['big']:,}",
            f"four signatures took {least:.1f} to {most:.1f} us, {middle:.1f} in the middle",
            "",
            markdown(found["figures"]),
            "",
            "seconds of each stage, by the report of the run:",
            *(
                f"  {name}: {', '.join(f'{stage} {s:.1f}' for stage, s in seconds.items())}"
                for name, seconds in found["seconds"].items()
            ),
        ]
    )


def markdown(rows: Iterable[Row]) -> str:
    """Return the table in Markdown, its columns as wide as a person reads them."""
    cells = [HEAD, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    line = [
        f"{'-' * (width - 1)}{':' if at in NUMBERS else '-'}" for at, width in enumerate(widths)
    ]
    return "\n".join(_line(some, widths) for some in (cells[0], line, *cells[1:]))


def _cells(row: Row) -> tuple[str, ...]:
    spread_, met = row["spread"], row["is_met"]
    return (
        row["name"],
        f"{_number(row['value'])} {row['unit']}",
        f"{_number(row['floor'])} {row['unit']}",
        row["floor_is"],
        f"{row['ratio']:.2f}",
        "once" if spread_ is None else f"{spread_:.0%}",
        row["goal"] or "",
        "" if met is None else "ok" if met else "MISSED",
    )


def _number(value: float) -> str:
    return f"{value:,.2f}" if value < 10 else f"{value:,.1f}" if value < 100 else f"{value:,.0f}"


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (
        cell.rjust(width) if at in NUMBERS else cell.ljust(width)
        for at, (cell, width) in enumerate(zip(cells, widths, strict=True))
    )
    return f"| {' | '.join(aligned)} |"
