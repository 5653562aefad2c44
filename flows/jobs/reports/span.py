"""The page over all runs of a span of days: what they did together, and each by itself."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Literal

from flows.common.counts import counted
from flows.common.errors import StoreError
from flows.common.terminal import Tone, sentence
from flows.jobs.reports.kept import KeptReport, read_report, run_names
from flows.jobs.reports.page import KINDS, lag_bars, reason_bars, stage_bars
from flows.jobs.reports.plots import bars, stacked
from flows.jobs.reports.rendering import render_alone
from flows.jobs.reports.words import days_between, headline, tone
from flows.store.layout import Layout
from flows.store.parquet.signed import MOST_DAYS

MOST_UNREADABLE = 20
"""Reports that cannot be read and are named on the page."""

_LONG = 10
"""Seconds; where no run takes more, how long they took is no plot."""

Step = Literal["day", "month"]
_Count = tuple[date, str, int]


@dataclass(frozen=True, slots=True)
class Span:
    """The runs that began on days of a span, both included (UTC), the oldest first.

    `unreadable` says, for each report that cannot be read, why.
    """

    first: date
    until: date
    reports: list[KeptReport]
    unreadable: list[str] = field(default_factory=list)

    @property
    def tone(self) -> Tone:
        """How the span went, by its last run of each job: an older failure was made good."""
        last = {report.job: report for report in self.reports}
        tones = {tone(report) for report in last.values()}
        if Tone.BAD in tones:
            return Tone.BAD
        is_good = last and tones == {Tone.GOOD} and not self.unreadable
        return Tone.GOOD if is_good else Tone.WARNING

    def total(self, name: str) -> int:
        """Return a count, summed over all runs."""
        return sum(getattr(report.counts, name) for report in self.reports)


def read_span(layout: Layout, first: date, until: date) -> Span:
    """Return the runs of these days; what cannot be read is named, and stops nothing."""
    span = Span(first, until, [])
    for name in reversed(run_names(layout)):
        if f"{first:%Y%m%d}" <= name[:8] <= f"{until:%Y%m%d}":
            try:
                span.reports.append(read_report(layout, name))
            except StoreError as error:
                span.unreadable.append(sentence(str(error)))
    return span


def span_headline(span: Span) -> str:
    """Return the sentence that says how a span went, without a full stop."""
    days = days_between(span.first, span.until, span.until)
    if not span.reports:
        return f"No run {days} has a report"
    bad = sum(tone(report) is Tone.BAD for report in span.reports)
    runs, how = counted(len(span.reports), "runs"), f"{bad:,} of them not complete"
    how = how if bad else "all complete"
    new, changed = span.total("new_records"), span.total("new_snapshots")
    return (
        f"{runs} {days}, {how}: {counted(new, 'new papers')}, {changed:,} changed, "
        f"{counted(span.total('rejects'), 'rejects')}"
    )


def span_page(span: Span) -> bytes:
    """Return the page of a span, whole by itself."""
    return render_alone("span.html", span_values(span))


def span_values(span: Span) -> dict[str, object]:
    """Return what the template of a span's page shows."""
    reasons: Counter[str] = Counter()
    seconds: dict[str, float] = {}
    for report in span.reports:
        reasons.update(report.counts.by_reason)
        for name, spent in report.seconds.items():
            seconds[name] = seconds.get(name, 0.0) + spent
    step, shown = _axis(span)
    numbers = [span.total(name) for name in ("new_records", "new_snapshots", "unchanged")]
    return {
        "span": span,
        "headline": span_headline(span),
        "days": days_between(span.first, span.until, span.until),
        "attention": list(span_attention(span)),
        "step": step,
        "nights": stacked(_placed(_by_run(span), step), step, first=shown, order=KINDS),
        "activity": stacked(_placed(_activity(span), step), step, first=shown),
        "without_activity": sum(report.signed is None for report in span.reports),
        "durations": stacked(_placed(_durations(span), step), step, first=shown),
        "kinds": bars(zip(KINDS, numbers, strict=True)),
        "lags": lag_bars(span.reports),
        "reasons": reason_bars(reasons.items()),
        "stages": stage_bars(seconds.items()),
        "runs": [(report, tone(report), headline(report)) for report in reversed(span.reports)],
    }


def span_attention(span: Span) -> Iterator[str]:
    """Yield the runs of each job since the last good one, then what cannot be read."""
    later: set[str] = set()
    for report in reversed(span.reports):
        if tone(report) is Tone.BAD:
            good = " (a later run was complete)" if report.job in later else ""
            yield f"{report.run}: {headline(report)}{good}."
        else:
            later.add(report.job)
    if span.total("rejects"):
        yield f"{counted(span.total('rejects'), 'rejects')}, kept with their bytes and reasons."
    if missed := _missed_nights(span):
        days = ", ".join(f"{day.day} {day:%b}" for day in missed)
        yield f"No nightly run began on {days}; the next complete one made that good."
    yield from span.unreadable[:MOST_UNREADABLE]
    if more := span.unreadable[MOST_UNREADABLE:]:
        yield f"{counted(len(more), 'more reports')} cannot be read."


def _missed_nights(span: Span) -> list[date]:
    """Return the days between the first and the last night without one, where they are few."""
    nights = {report.started_at.date() for report in span.reports if report.job == "nightly"}
    if not nights:
        return []
    between = range((max(nights) - min(nights)).days)
    missed = [day for n in between if (day := min(nights) + timedelta(days=n)) not in nights]
    return missed if len(missed) < len(nights) / 2 else []


def _axis(span: Span) -> tuple[Step, date | None]:
    """Return the step of the plots' axis and where it begins; None is where the first count is."""
    if (span.until - span.first).days < MOST_DAYS:
        return "day", span.first
    return "month", None


def _placed(counts: Iterable[_Count], step: Step) -> Iterator[_Count]:
    for day, name, number in counts:
        if number:
            yield day.replace(day=1) if step == "month" else day, name, number


def _by_run(span: Span) -> Iterator[_Count]:
    """Yield what came, by the day of the run and by what became of it."""
    for report in span.reports:
        c, day = report.counts, report.started_at.date()
        numbers = (c.new_records, c.new_snapshots, c.unchanged)
        yield from ((day, kind, n) for kind, n in zip(KINDS, numbers, strict=True))


def _activity(span: Span) -> Iterator[_Count]:
    """Yield what was signed by day of change, of the span's days: a backfill has older ones."""
    for report in span.reports:
        if report.signed and report.signed.step == "day":
            for day, found in report.signed.papers.items():
                if span.first <= day <= span.until:
                    yield from ((day, sentence(name), n) for name, n in found.items())


def _durations(span: Span) -> Iterator[_Count]:
    """Yield the seconds of each run by its job, where any takes long enough to matter."""
    if any(report.duration > _LONG for report in span.reports):
        for report in span.reports:
            yield report.started_at.date(), sentence(report.job), max(1, round(report.duration))
