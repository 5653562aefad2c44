"""The page of one run, made of its report alone: sentence, what needs attention, plots, numbers."""

from collections.abc import Iterable, Sequence
from datetime import timedelta

from flows.common.errors import PithError
from flows.common.process.progress import LOGGER
from flows.common.terminal import sentence
from flows.jobs.reports.kept import (
    PAGE,
    KeptReport,
    KeptWindow,
    earlier_reports,
    parse_report,
    read_report,
)
from flows.jobs.reports.plots import Bar, Plot, bars, spark, stacked
from flows.jobs.reports.rendering import render_alone
from flows.jobs.reports.words import (
    Figure,
    attention,
    duration,
    figures,
    headline,
    most_often,
    tone,
)
from flows.store.layout import Layout

COMPARED = 10
"""Runs of the same job before a run, with which it is compared."""

MOST_REASON = 240
"""Characters of a reject's reason; the rejects table has all of it."""

_LAGS = [
    (0, "the same day"), (1, "1 day"), (2, "2 days"), (3, "3 days"), (7, "4 to 7 days"),
    (30, "8 to 30 days"), (365, "31 to 365 days"),
]  # fmt: skip
_LONGER = "more than a year"
KINDS = ("new", "changed", "unchanged")


def page_of_run(layout: Layout, run: str) -> bytes:
    """Return the page of a run, made anew of the reports that were kept; raises `ReportError`."""
    report = read_report(layout, run)
    return _page(report, earlier_reports(layout, run, report.job, COMPARED))


def write_page(layout: Layout, run: str, report: bytes) -> None:
    """Write `report.html` beside the `report` (JSON) of a run; what fails fails no run."""
    try:
        kept = parse_report(report, run)
        page = _page(kept, earlier_reports(layout, run, kept.job, COMPARED))
        layout.files.write(layout.report(run, PAGE), page)
    except (OSError, ValueError, PithError) as error:
        LOGGER.warning("no %s was written: %s", PAGE, sentence(str(error)))


def _page(report: KeptReport, before: Sequence[KeptReport]) -> bytes:
    return render_alone("report.html", page_values(report, before))


def page_values(report: KeptReport, before: Sequence[KeptReport]) -> dict[str, object]:
    """Return what the template of a run's page shows; `before` are earlier runs, oldest first."""
    c = report.counts
    categories = most_often(c.by_category.items())
    return {
        "report": report,
        "tone": tone(report),
        "headline": headline(report),
        "attention": attention(report),
        "figures": [(one, spark(_drawn(one), COMPARED + 1)) for one in figures(report, before)],
        "activity": _activity(report),
        "kinds": bars(zip(KINDS, (c.new_records, c.new_snapshots, c.unchanged), strict=True)),
        "lags": lag_bars([report]),
        "reasons": reason_bars(c.by_reason.items()),
        "stages": stage_bars(report.seconds.items()),
        "categories": bars(_shown(categories)),
        "all_categories": _shown(categories),
        "failures": _told(report.failures.items()),
        "coverage": [sentence(line) for line in report.coverage],
        "papers": [sentence(line) for line in report.papers],
        "windows": [(sentence(one.window), one, _outcome(one)) for one in report.windows],
        "input_name": sentence(report.input_file.name) if report.input_file else "",
    }


def _drawn(figure: Figure) -> list[float]:
    return [value or 0 for value in figure.values]


def _outcome(window: KeptWindow) -> str:
    if window.problem:
        return sentence(f"not complete: {window.problem}")
    return "done before" if window.was_done else "complete"


def _activity(report: KeptReport) -> Plot | None:
    """Return the plot of what was signed by day of change and archive; None where none is known."""
    if not report.signed:
        return None
    papers, step = report.signed.papers, report.signed.step
    counts = [
        (day, sentence(name), number)
        for day, found in papers.items()
        for name, number in found.items()
    ]
    # A column of one night alone would fill the page.
    week = max(papers) - timedelta(days=6) if papers and step == "day" else None
    return stacked(counts, step, first=min(week, *papers) if week else None)


def lag_bars(reports: Iterable[KeptReport]) -> list[Bar]:
    """Return how many papers were signed how long after their change on arXiv."""
    found = dict.fromkeys([name for _, name in _LAGS] + [_LONGER], 0)
    for report in reports:
        for days, number in (report.signed.lag_days if report.signed else {}).items():
            found[next((name for most, name in _LAGS if days <= most), _LONGER)] += number
    last = max((place for place, number in enumerate(found.values()) if number), default=-1)
    return bars(list(found.items())[: last + 1])


def reason_bars(counts: Iterable[tuple[str, int]]) -> list[Bar]:
    """Return rejects by their reasons, the most frequent first."""
    often = most_often(counts)
    return bars((sentence(reason)[:MOST_REASON], number) for reason, number in often)


def stage_bars(seconds: Iterable[tuple[str, float]]) -> list[Bar]:
    """Return the seconds of each stage, the longest first."""
    longest = sorted(seconds, key=lambda item: -item[1])
    return bars(((sentence(name), spent) for name, spent in longest), duration)


def _shown(counts: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
    return [(sentence(name), number) for name, number in counts]


def _told(texts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    return [(sentence(name), sentence(text)) for name, text in texts]
