"""A run in plain English: how it went in one sentence, what needs attention, how it compares."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from flows.common.counts import counted, tone_of
from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import Tone, sentence
from flows.jobs.reports.kept import KeptReport, KeptWindow
from flows.sources.arxiv.sets import ALL_OF_ARXIV, category_of

MOST_NAMED = 3
"""Categories, or reasons, that a sentence names."""

_WINDOW = re.compile(
    r"(.+), (the beginning|\d{4}-\d\d-\d\d) to (now|\d{4}-\d\d-\d\d)", re.ASCII | re.DOTALL
)
_ONE_PERCENT = 0.005
_FEW_MILLISECONDS, _FEW_SECONDS = 0.0995, 9.95
"""Seconds, below which a thousandth or a tenth is told."""


def tone(report: KeptReport) -> Tone:
    """Return how a run went, as a terminal colours it and a page marks it."""
    incomplete = bool(report.incomplete or report.unaccounted)
    return tone_of(ExitStatus(report.exit_status), incomplete=incomplete)


def headline(report: KeptReport) -> str:
    """Return the sentence that says how a run went, without a full stop."""
    return sentence(_not_done(report) or f"{_done(report)}{_but(report)}")


def _not_done(report: KeptReport) -> str:
    """Return the sentence on a run that did not come to its end, or nothing."""
    kept = f"{counted(report.counts.papers, 'papers')} came and {_verb(report)} kept"
    if report.unreachable:
        return f"Not complete: arXiv could not be reached; {kept}"
    if report.stopped:
        return f"Not complete: the input could not be read on; {kept}"
    if report.unaccounted:
        return f"Not complete: {counted(report.unaccounted, 'lines')} of the file became nothing"
    if report.incomplete:
        some = counted(len(report.windows), "windows")
        are = "is" if len(report.incomplete) == 1 else "are"
        return f"Not complete: {len(report.incomplete):,} of {some} {are} not proven; {kept}"
    return ""


def _verb(report: KeptReport) -> str:
    return "is" if report.counts.papers == 1 else "are"


def _done(report: KeptReport) -> str:
    c = report.counts
    if c.reissued or report.nouns.papers == "records":
        same = f"; {c.unchanged:,} had the current key" if c.unchanged else ""
        return f"Done: {counted(c.reissued, 'receipts')} issued again{same}"
    if report.windows:
        return _harvested(report)
    became = _became(report)
    if report.input_file:
        name = sentence(report.input_file.name)[-80:]
        return (
            f"Complete: every one of {counted(c.lines, 'lines')} of {name} is accounted for{became}"
        )
    return f"Done: {counted(c.papers, 'papers')} came{became}"


def _harvested(report: KeptReport) -> str:
    """Return the sentence on a harvest, all of whose windows are proven complete."""
    fresh = [window for window in report.windows if not window.was_done]
    if not fresh:
        return f"Complete: {counted(len(report.windows), 'windows')} done before, nothing was left"
    c, where = report.counts, _papers_of(fresh, report.started_at.date())
    there = sum(window.listed - min(window.listed, window.deleted) for window in fresh)
    if not c.papers and not there:
        return f"Complete: no paper {where}"
    if c.papers + c.rejects < there:
        brought = f"this run brought {c.papers:,} of them{_became(report)}"
        return f"Complete: all {counted(there, 'papers')} that {where} are here; {brought}"
    if c.papers == 1:
        return f"Complete: the one paper that {where} is here{_became(report)}"
    return f"Complete: the {counted(c.papers, 'papers')} that {where} are all here{_became(report)}"


def _became(report: KeptReport) -> str:
    """Return in brackets what became of the papers, or nothing where there were none."""
    c = report.counts
    kinds = {"new": c.new_records, "changed": c.new_snapshots, "unchanged": c.unchanged}
    named = ", ".join(f"{number:,} {kind}" for kind, number in kinds.items() if number)
    return f" ({named})" if named else ""


def _but(report: KeptReport) -> str:
    """Return what a run that is done left, such as `; 3 rejects`."""
    rejects, failures = report.counts.rejects, len(report.failures)
    left = [counted(rejects, "rejects")] if rejects else []
    left += [f"{counted(failures, 'inputs')} could not be used"] if failures else []
    return f"; {', '.join(left)}" if left else ""


def _papers_of(windows: Sequence[KeptWindow], today: date) -> str:
    """Return `changed on arXiv on 20 Nov`, or what is known of categories and days."""
    found = [_WINDOW.fullmatch(window.window) for window in windows]
    parts = [match.groups() for match in found if match]
    if len(parts) != len(windows):
        return "arXiv lists"
    sets = list(dict.fromkeys(name for name, _, _ in parts))
    names = [_category(name) for name in sets]
    of = "" if ALL_OF_ARXIV in names else f" in {_few(names, 'categories')}"
    firsts, untils = [first for _, first, _ in parts], [until for _, _, until in parts]
    first = None if "the beginning" in firsts else _day(min(firsts))
    until = today if "now" in untils else _day(max(untils))
    if "the beginning" not in firsts and (first is None or until is None):
        return f"changed on arXiv{of}"
    return f"changed on arXiv{of} {days_between(first, until, today)}"


def _category(name: str) -> str:
    return ALL_OF_ARXIV if name == "all of arXiv" else category_of(name)


def _few(names: Sequence[str], many: str) -> str:
    if len(names) > MOST_NAMED:
        return f"{len(names):,} {many}"
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def days_between(first: date | None, until: date | None, today: date) -> str:
    """Return `on 20 Nov`, `from 14 to 20 Nov` or `from the beginning to 20 Nov 2025`."""
    last = _written(until or today, today)
    if first is None:
        return f"from the beginning to {last}"
    if first == until:
        return f"on {last}"
    if until and (first.year, first.month) == (until.year, until.month):
        return f"from {first.day} to {last}"
    return f"from {_written(first, today)} to {last}"


def _written(day: date, today: date) -> str:
    return f"{day.day} {day:%b}" if day.year == today.year else f"{day.day} {day:%b %Y}"


def attention(report: KeptReport) -> list[str]:
    """Return what a person should look at, a sentence each, the gravest first."""
    return [sentence(text) for text in _attention(report)]


def _attention(report: KeptReport) -> Iterator[str]:
    c = report.counts
    if report.unaccounted:
        yield (
            f"{counted(report.unaccounted, 'lines')} of the file became nothing at all: a fault "
            "of pith-ingest, please report it."
        )
    if report.stopped:
        yield f"The run stopped: {report.stopped}"
    if report.unreachable:
        yield f"arXiv could not be reached: {report.unreachable}"
    for window in report.incomplete:
        yield f"Not complete: {window.window}: {window.problem}"
    if report.incomplete or report.unreachable:
        yield "The same command goes on where this run stopped; nothing is lost."
    if c.rejects:
        reasons = most_often(c.by_reason.items())
        why = "; ".join(f"{reason} ({number:,})" for reason, number in reasons[:MOST_NAMED])
        others = len(reasons) - MOST_NAMED
        more = f"; {counted(others, 'other reasons')}" if others > 0 else ""
        yield f"{counted(c.rejects, 'rejects')}, kept with {_their(c.rejects)} bytes: {why}{more}"
    for name, reason in list(report.failures.items())[:MOST_NAMED]:
        yield f"Could not be used: {name}: {reason}"
    if len(report.failures) > MOST_NAMED:
        more = counted(len(report.failures) - MOST_NAMED, "more inputs")
        yield f"{more} could not be used; all are named at the end."
    yield from (line for line in report.coverage if "NOT PROVEN" in line)


def _their(count: int) -> str:
    return "its" if count == 1 else "their"


def most_often(counts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return names and numbers, the largest first, those alike by name."""
    return sorted(counts, key=lambda item: (-item[1], item[0]))


@dataclass(frozen=True, slots=True)
class Figure:
    """A number of a run beside those of the runs before it, oldest first; None was not counted."""

    name: str
    values: tuple[float | None, ...]
    unit: str = ""

    @property
    def now(self) -> float | None:
        """The run's own number."""
        return self.values[-1]

    @property
    def compared(self) -> str:
        """Say how it compares: `12 % more than the median of the last 10 (1,100)`."""
        before = [value for value in self.values[:-1] if value is not None]
        if self.now is None:
            return "not counted"
        if not before:
            return "no run before it to compare with"
        usual = median(before)
        of = f"the median of the last {len(before)}" if len(before) > 1 else "the run before"
        return f"{self._difference(usual)} {of} ({self.write(usual)})"

    def write(self, value: float) -> str:
        """Return a value of this figure with its unit."""
        if self.unit == "seconds":
            return duration(value)
        # Half a paper is the median of an even number of runs.
        text = f"{value:,.1f}" if self.unit and value != int(value) else f"{value:,.0f}"
        return f"{text} {self.unit}{'s' * (value != 1)}" if self.unit else text

    def _difference(self, usual: float) -> str:
        now = self.now or 0
        if now == usual or (usual and abs(now - usual) / usual < _ONE_PERCENT):
            return "the same as"
        more, fewer = ("longer", "shorter") if self.unit else ("more", "fewer")
        share = f"{abs(now - usual) / usual * 100:,.0f} % " if usual else ""
        return f"{share}{more if now > usual else fewer} than"


def duration(seconds: float) -> str:
    """Return a time span for people: `40 ms`, `4.1 s`, `12 s`, `3 min 20 s`, `5 h 7 min`."""
    if seconds < _FEW_MILLISECONDS:
        return f"{seconds * 1000:.0f} ms"
    if seconds < _FEW_SECONDS:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    minutes, hours = whole // 60, whole // 3600
    if hours:
        return f"{hours:,} h {minutes % 60} min"
    return f"{minutes} min {whole % 60} s" if minutes else f"{whole} s"


def figures(report: KeptReport, before: Sequence[KeptReport]) -> list[Figure]:
    """Return the numbers of a run that are compared with those of the runs before it."""
    runs = [*before, report]
    counts = [run.counts for run in runs]
    return [
        Figure("papers", tuple(c.papers for c in counts)),
        Figure("new", tuple(c.new_records for c in counts)),
        Figure("changed", tuple(c.new_snapshots for c in counts)),
        Figure("rejects", tuple(c.rejects for c in counts)),
        Figure("duration", tuple(run.duration for run in runs), "seconds"),
        Figure("median lag", tuple(median_lag(run) for run in runs), "day"),
    ]


def median_lag(report: KeptReport) -> float | None:
    """Return the median of the days between change and signature, None where none is known."""
    lags = report.signed.lag_days if report.signed else {}
    total, seen = sum(lags.values()), 0
    for days, number in sorted(lags.items()):
        seen += number
        if number and 2 * seen >= total:
            return days
    return None
