"""Every figure of the benchmark, a declaration each.

A figure is the ratio of two series: of what is measured, and of its floor. Their values were taken
in turns, so that the first of one and the first of the other lie beside each other in time.
"""

from dataclasses import dataclass

Series = dict[str, list[float]]
"""What was measured, by its name: seconds, seconds a paper, papers a second, or bytes."""

PLAIN, BIG, FILES, UNCHANGED, SCRIPT = "no files", "big", "files", "unchanged", "script"
SMALL = "small"
"""The runs, after which series are named, and the small folder that questions are asked of too."""

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "papers/s": 1.0, "MiB": 2.0**20}
"""How many seconds, papers a second, or bytes each unit is."""


@dataclass(frozen=True, slots=True)
class Goal:
    """A bound that a figure keeps: at most `bound`, or at least."""

    bound: float
    at_least: bool = False

    def is_met(self, value: float) -> bool:
        """Return whether the bound is kept."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        """Return it as the table has it."""
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure: its name, the series that it is of, their unit, its floor, its goals.

    `floor` names the series that are added up, `floor_is` says what they are. `goal` is of the
    ratio to the floor, `limit` of the value itself, in its unit.
    """

    name: str
    series: str
    unit: str
    floor: tuple[str, ...]
    floor_is: str
    goal: Goal | None = None
    limit: Goal | None = None


def _signing(name: str, series: str, goal: float | None = None) -> Figure:
    """Declare CPU time a paper, in a series beside which four signatures were measured."""
    floor = (f"{series}: four signatures",)
    bound = Goal(goal) if goal else None
    return Figure(name, f"{series}: CPU", "us", floor, "four signatures", bound)


def _flat(
    name: str,
    kind: str,
    small_kind: str | None = None,
    *,
    goal: Goal | None = None,
    limit: Goal | None = None,
) -> Figure:
    """Declare seconds over the big folder, whose floor is the same over the small one."""
    floor = (f"{SMALL}: {small_kind or kind}",)
    return Figure(name, f"{BIG}: {kind}", "s", floor, "the small folder", goal, limit)


FIGURES = (
    _signing("CPU a paper, no files", PLAIN, 2.5),
    _signing("CPU a paper, no files, big", BIG, 2.6),
    Figure(
        "CPU a paper, with files", f"{FILES}: CPU", "us",
        (f"{FILES}: four signatures", f"{FILES}: bare file"), "four signatures, a bare file",
        Goal(2.0),
    ),
    Figure(
        "papers/s, with files", f"{FILES}: rate", "papers/s",
        (f"{SCRIPT}: rate",), "the obvious script", Goal(5, at_least=True),
    ),
    Figure(
        "papers/s, all unchanged", f"{UNCHANGED}: rate", "papers/s",
        (f"{PLAIN}: rate",), "the first run", Goal(3, at_least=True),
    ),
    Figure(
        "commit of a paper", f"{PLAIN}: commit", "us",
        (f"{PLAIN}: bare insert",), "a bare SQLite insert",
    ),
    Figure(
        "commit of a paper, last 100,000 of big", f"{BIG}: last commits", "us",
        (f"{BIG}: first commits",), "the first 100,000", Goal(1.3),
    ),
    Figure(
        "peak memory, big", f"{BIG}: peak", "MiB",
        (f"{PLAIN}: peak",), "no files", Goal(1.15), Goal(700),
    ),
    _flat("1,500 changes, CPU", "changes CPU", goal=Goal(1.5)),
    _flat("1,500 changes, by the clock", "changes", goal=Goal(1.5)),
    _flat("scattered changes, CPU", "scattered changes CPU", "changes CPU", goal=Goal(1.5)),
    _flat("show", "show", limit=Goal(0.5)),
    _flat("status", "status", limit=Goal(1)),
    _flat("rerun, until it asks arXiv", "rerun", limit=Goal(1)),
    Figure(
        "OAI pages to papers, a paper", "pages", "us",
        ("pages: lxml",), "lxml alone", Goal(1.8),
    ),
    Figure(
        "verifying a bundle", "verifying", "us",
        ("verifying: four checks",), "four signature checks", Goal(1.9),
    ),
    _signing("alone: lines to papers", "lines"),
    _signing("alone: papers to bundles", "bundles"),
    _signing("alone: papers to rows", "rows"),
    _signing("alone: rows to Parquet", "Parquet"),
    _signing("alone: a changed paper", "changed"),
)  # fmt: skip
