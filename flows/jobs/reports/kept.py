"""Reports as they were kept, by whichever version: read with types, or named as damaged."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

import msgspec

from flows.common.errors import ConfigError, StoreError
from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import quoted, sentence
from flows.store.layout import RUNS, Layout

RUN = re.compile(r"[0-9]{8}T[0-9]{6}Z-([a-z][a-z-]{0,39})-[0-9a-f]{4}", re.ASCII)
"""The name of a run; its job is the first group."""

REPORT, PAGE = "report.json", "report.html"
_MOST_NAMED = 5
_YEARS = range(1986, 2200)
"""No date of arXiv's is before; a plot over more years would be a page without end."""

Count = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
Seconds = Annotated[float, msgspec.Meta(ge=0, le=1e12)]


class KeptCounts(msgspec.Struct, frozen=True):
    """What became of a run's papers."""

    papers: Count = 0
    new_records: Count = 0
    new_snapshots: Count = 0
    unchanged: Count = 0
    reissued: Count = 0
    withdrawn: Count = 0
    rejects: Count = 0
    filtered: Count = 0
    lines: Count = 0
    blank: Count = 0
    by_category: dict[str, Count] = {}
    by_reason: dict[str, Count] = {}


class KeptWindow(msgspec.Struct, frozen=True):
    """The outcome of a window, as `WindowOutcome`."""

    window: str
    listed: Count = 0
    harvested: Count = 0
    recovered: Count = 0
    deleted: Count = 0
    moved: Count = 0
    was_done: bool = False
    problem: str | None = None


class KeptFile(msgspec.Struct, frozen=True):
    """The file that a run read."""

    name: str
    size: Count
    sha256: str


class KeptNouns(msgspec.Struct, frozen=True):
    """The names of the units of a run, and of what they hold."""

    units: str = "replies"
    papers: str = "papers"


class KeptActivity(msgspec.Struct, frozen=True):
    """What a run signed, as `Activity`; of reports of before 0.2.0 there is none."""

    step: Literal["day", "month"] = "day"
    papers: dict[date, dict[str, Count]] = {}
    lag_days: dict[Annotated[int, msgspec.Meta(ge=0, le=10_000)], Count] = {}
    undated: Count = 0

    def __post_init__(self) -> None:
        """Refuse days that no paper can have; raises `ValueError`, which msgspec makes its own."""
        if any(day.year not in _YEARS for day in self.papers):
            raise ValueError("a day is far from any of arXiv's")


class KeptReport(msgspec.Struct, frozen=True):
    """A run's report; what it does not say, as an older one, is empty."""

    run: str
    job: str
    started_at: datetime
    finished_at: datetime
    exit_status: int
    counts: KeptCounts
    units: Count = 0
    nouns: KeptNouns = msgspec.field(default_factory=KeptNouns)
    key_id: str = ""
    key_fingerprint: str = ""
    builder_version: str = ""
    signed: KeptActivity | None = None
    seconds: dict[str, Seconds] = {}
    failures: dict[str, str] = {}
    windows: list[KeptWindow] = []
    coverage: list[str] = []
    papers: list[str] = []
    input_file: KeptFile | None = None
    unreachable: str | None = None
    stopped: str | None = None

    @property
    def incomplete(self) -> list[KeptWindow]:
        """The windows that are not proven complete."""
        return [window for window in self.windows if window.problem]

    @property
    def unaccounted(self) -> int:
        """How many lines of a file became nothing at all: 0, unless a fault of ours."""
        c = self.counts
        return c.lines - (c.papers + c.rejects + c.filtered + c.blank) if self.input_file else 0

    @property
    def duration(self) -> float:
        """Seconds from the run's start to its end."""
        return max(0.0, (self.finished_at - self.started_at).total_seconds())


class ReportError(StoreError):
    """A report that is not there, or is not what a run writes."""


def run_names(layout: Layout) -> list[str]:
    """Return the names of all runs, the newest first."""
    return sorted(filter(RUN.fullmatch, layout.files.names(RUNS)), reverse=True)


def find_run(layout: Layout, named: str) -> str:
    """Return the run that a user names, by its name or a part of it or a path; the newest for "".

    Raises `ConfigError` where none is meant, or several.
    """
    names = run_names(layout)
    if not names:
        raise ConfigError(
            f"no run is in {layout.location} yet; 'pith-ingest backfill' or 'nightly' makes one"
        )
    if not named:
        return names[0]
    parts = named.replace("\\", "/").rstrip("/").split("/")
    word = next((part for part in reversed(parts) if RUN.fullmatch(part)), parts[-1])
    found = [name for name in names if name.startswith(word) or name.endswith(f"-{word}")]
    if len(found) == 1:
        return found[0]
    if found:
        some = ", ".join(found[:_MOST_NAMED])
        raise ConfigError(f"{quoted(named)} is the beginning of {len(found):,} runs: {some} …")
    raise ConfigError(
        f"there is no run {quoted(named)} in {layout.location}; the newest is {names[0]}"
    )


def read_report(layout: Layout, run: str) -> KeptReport:
    """Return the report of a run; raises `ReportError`."""
    place = layout.files.location(layout.report(run, REPORT))
    try:
        data = layout.files.read(layout.report(run, REPORT))
    except FileNotFoundError:
        raise ReportError(f"the run {run} has no report: it is under way, or was killed") from None
    except OSError as error:
        raise ReportError(f"cannot read the report {place}: {error.strerror}") from None
    try:
        return parse_report(data, run)
    except ValueError as error:
        raise ReportError(
            f"the report {place} is damaged ({sentence(str(error))}); the tables are not, "
            "and need no report"
        ) from None


def parse_report(data: bytes, run: str | None = None) -> KeptReport:
    """Return a report of its JSON, of this run if one is given; raises `ValueError`."""
    try:
        # By json, as it was written: a file's name may hold bytes that are no character.
        report = msgspec.convert(json.loads(data), KeptReport, str_keys=True)
    except (msgspec.ValidationError, RecursionError) as error:
        raise ValueError(str(error)) from None
    if any(at.utcoffset() != timedelta() for at in (report.started_at, report.finished_at)):
        raise ValueError("its times are not UTC")
    named = f"{report.started_at:%Y%m%dT%H%M%SZ}-{report.job}-"
    if run is not None and (report.run != run or run[: len(named)] != named):
        raise ValueError("it is of another run")
    if report.exit_status not in set(ExitStatus):
        raise ValueError("it has no exit status that there is")
    return report


def earlier_reports(layout: Layout, run: str, job: str, most: int) -> list[KeptReport]:
    """Return the last reports of a job that can be read, of runs before this one, oldest first."""
    return list(_earlier(layout, run, job, most))[::-1]


def _earlier(layout: Layout, run: str, job: str, most: int) -> Iterator[KeptReport]:
    left = most
    for name in run_names(layout):
        named = RUN.fullmatch(name)
        if name >= run or not named or named[1] != job:
            continue
        if not left:
            return
        left -= 1
        with suppress(StoreError, OSError):
            yield read_report(layout, name)
