"""The command `report`: how a run went, or all runs of some days; as text, JSON or a page."""

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.cli.options import ConfigOption, DataOption, JsonOption, load, typed_day
from flows.common.process.exit_status import ExitStatus

if TYPE_CHECKING:
    from flows.cli.output.blocks import Block
    from flows.jobs.reports.kept import KeptReport
    from flows.jobs.reports.span import Span
    from flows.store.layout import Layout

_ONE_DAY = timedelta(days=1)


def report(
    *,
    run: Annotated[
        str,
        typer.Argument(
            metavar="RUN",
            help="A run's name, how it begins or ends, or a path into its folder; the newest if "
            "none.",
        ),
    ] = "",
    last: Annotated[
        str | None,
        typer.Option(metavar="SPAN", help="All runs of the last days instead: 30d, 2w, 1 month."),
    ] = None,
    first: Annotated[
        date | None,
        typer.Option("--from", parser=typed_day, metavar="DAY", help="All runs from this day on."),
    ] = None,
    until: Annotated[
        date | None,
        typer.Option(parser=typed_day, metavar="DAY", help="The last day of these runs."),
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write one page with plots, whole by itself; replaces an older page of this kind.",
        ),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Tell how a run went, what needs attention and how it compares; or all runs of some days.

    Days are those on which runs began, UTC. Exit status: 0, or 1 where a report of these days is
    damaged, which is named and left out.

    Examples:
        pith-ingest report
        pith-ingest report --last 30d
        pith-ingest report --last 30d --html month.html
        pith-ingest report --from '1 Oct' --until '31 Oct' --json
    """
    from flows.ingest.worker_context import layout_of

    days = _days(last, first, until)
    if run and days:
        raise typer.BadParameter("a RUN and a span of days are two choices; give one")
    layout = layout_of(load(config, data))
    if days:
        _tell_span(layout, days, html, as_json=as_json)
    else:
        _tell_run(layout, run, html, as_json=as_json)


def _days(last: str | None, first: date | None, until: date | None) -> tuple[date, date] | None:
    """Return the first and the last day of the span that is asked for, None for none."""
    if last and first:
        raise typer.BadParameter("--last and --from are two ways to say one thing; give one")
    today = typed_day("today")
    if last:
        ago = today - typed_day(last)
        # `7d` is seven days with today, and `7d` as a day is the one seven days ago.
        first = (until or today) - ago + (_ONE_DAY if last[0].isdigit() and ago else timedelta())
    if first is None:
        if until:
            raise typer.BadParameter("--until needs --from or --last")
        return None
    if first > (until or today):
        raise typer.BadParameter(f"the span begins on {first}, after its end")
    return first, until or today


def _tell_run(layout: "Layout", named: str, html: Path | None, *, as_json: bool) -> None:
    from flows.cli.output.answer import answer
    from flows.jobs.reports.kept import PAGE, earlier_reports, find_run, read_report
    from flows.jobs.reports.page import COMPARED, page_of_run
    from flows.jobs.reports.words import attention, figures, headline, tone

    run = find_run(layout, named)
    kept = read_report(layout, run)
    if html:
        _write(html, page_of_run(layout, run))
    key = layout.report(run, PAGE)
    # Runs of older versions have none.
    page = str(html) if html else layout.files.location(key) if layout.files.exists(key) else None
    before = earlier_reports(layout, run, kept.job, COMPARED)
    compared = [(one.name, one.now, one.compared) for one in figures(kept, before)]
    document = {
        "run": run,
        "summary": headline(kept),
        "tone": tone(kept).name.lower(),
        "attention": attention(kept),
        "compared": {name: {"now": now, "said": said} for name, now, said in compared},
        "page": page,
        "report": kept,
    }
    blocks = _run_blocks(kept, before, page or "none yet; --html FILE writes it")
    answer(document, blocks, as_json=as_json)


def _run_blocks(kept: "KeptReport", before: "list[KeptReport]", page: str) -> "Iterator[Block]":
    from flows.cli.output.blocks import Column, Fields, Table
    from flows.common.terminal import Line, Tone
    from flows.jobs.reports.words import attention, duration, figures, headline, tone

    yield Line(f"{headline(kept)}.", tone(kept))
    yield from (Line(f"! {said}", Tone.WARNING) for said in attention(kept))
    yield Line("")
    rows = [
        (one.name, "-" if one.now is None else one.write(one.now), one.compared)
        for one in figures(kept, before)
    ]
    yield Table([Column("", whole=True), Column("", whole=True, is_number=True), Column("")], rows)
    yield Line("")
    took = f"{kept.started_at:%Y-%m-%d %H:%M} UTC, took {duration(kept.duration)}"
    yield Fields([("run", kept.run), ("begun", took), ("page", page)])


def _tell_span(
    layout: "Layout", days: tuple[date, date], html: Path | None, *, as_json: bool
) -> None:
    from flows.cli.output.answer import answer
    from flows.jobs.reports.span import read_span, span_attention, span_headline, span_page
    from flows.jobs.reports.words import headline

    span = read_span(layout, *days)
    if html:
        _write(html, span_page(span))
    document: dict[str, Any] = {
        "first": span.first,
        "until": span.until,
        "summary": span_headline(span),
        "tone": span.tone.name.lower(),
        "attention": list(span_attention(span)),
        "page": str(html) if html else None,
        "runs": [{"summary": headline(one), "report": one} for one in span.reports],
    }
    answer(document, _span_blocks(span, html), as_json=as_json)
    raise typer.Exit(ExitStatus.PROBLEMS if span.unreadable else ExitStatus.DONE)


def _span_blocks(span: "Span", html: Path | None) -> "Iterator[Block]":
    from flows.cli.output.blocks import Column, Fields, Table
    from flows.common.terminal import Line, Tone
    from flows.jobs.reports.span import span_attention, span_headline
    from flows.jobs.reports.words import duration, headline

    yield Line(f"{span_headline(span)}.", span.tone)
    yield from (Line(f"! {said}", Tone.WARNING) for said in span_attention(span))
    if span.reports:
        yield Line("")
        titles = ("begun (UTC)", "job", "new", "changed", "rejects", "took")
        columns = [
            Column(title, whole=True, is_number=place > 1) for place, title in enumerate(titles)
        ]
        rows = [
            (
                f"{one.started_at:%Y-%m-%d %H:%M}", one.job, f"{one.counts.new_records:,}",
                f"{one.counts.new_snapshots:,}", f"{one.counts.rejects:,}",
                duration(one.duration), headline(one),
            )
            for one in reversed(span.reports)
        ]  # fmt: skip
        yield Table([*columns, Column("how it went")], rows)
    if html:
        yield Line("")
        yield Fields([("page", str(html))])


def _write(file: Path, page: bytes) -> None:
    from flows.jobs.reports.rendering import write_alone

    write_alone(file, page)
