"""What `status` shows a person: what there is first, what needs attention last."""

from collections.abc import Iterator
from datetime import datetime

from flows.cli.data.status.folder_status import FolderStatus, LastRun
from flows.cli.output.blocks import Block, Column, Table
from flows.common.counts import counted, tone_of
from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import Line, Tone
from flows.sources.arxiv.harvest.coverage import hole_lines

_A_DAY = 24 * 3600


def blocks(found: FolderStatus, now: datetime) -> Iterator[Block]:
    """Yield all that is known of a data folder; where there are faults, these alone."""
    if not found.faults:
        yield Line(_counts(found))
        if found.runs:
            yield _last_run(found.runs[0], now)
        yield from _tables(found)
    yield from attention(found)


def attention(found: FolderStatus) -> Iterator[Line]:
    """Yield what is wrong, not proven or not complete, and below each the command that mends it."""
    for fault in found.faults:
        yield Line(fault, Tone.BAD)
    for each in found.coverage:
        for text in hole_lines(each):
            yield Line(text, Tone.PLAIN if text.startswith(" ") else Tone.WARNING)
    for window in found.open_windows:
        came = f"{counted(window.pages, 'pages')} came since {window.begun}"
        where = "all pages came, not reconciled" if window.all_pages_came else came
        yield Line(f"NOT COMPLETE: {window.window}: {where}:", Tone.BAD)
        yield Line(f"  {window.command}")
    if found.shards_without_files:
        shards = counted(found.shards_without_files, "shards")
        yield Line(f"bundle files of {shards} may be missing; the next run writes them")


def _counts(found: FolderStatus) -> str:
    numbers = {"records": found.records, "rejects": found.rejects, "shards": found.shards}
    told = [counted(number or 0, nouns) for nouns, number in numbers.items()]
    if found.vanished:
        told.append(f"{counted(found.vanished, 'papers')} vanished")
    return f"{', '.join(told)} in {found.folder}"


def _last_run(run: LastRun, now: datetime) -> Line:
    """Return such as `last run: nightly, last night 05:30: done, 3 rejects; 1,234 papers`."""
    if run.started_at is None or run.exit_status is None:
        tone = Tone.PLAIN if run.outcome.startswith("under way") else Tone.BAD
        return Line(f"last run {run.run}: {run.outcome}", tone)
    papers = counted(run.papers or 0, "papers")
    when = said_time(run.started_at, now, is_night=run.job == "nightly")
    tone = tone_of(ExitStatus(run.exit_status), incomplete=not run.is_complete)
    return Line(f"last run: {run.job}, {when}: {run.outcome}; {papers}", tone)


def said_time(moment: datetime, now: datetime, *, is_night: bool = False) -> str:
    """Return when something was as a person says it, in UTC: `yesterday 05:30 UTC`."""
    days = (now.date() - moment.date()).days
    if is_night and 0 <= (now - moment).total_seconds() < _A_DAY:
        day = "last night"
    elif days in {0, 1}:
        day = ("today", "yesterday")[days]
    else:
        day = f"{moment.day} {moment:%b}" if moment.year == now.year else f"{moment:%Y-%m-%d}"
    return f"{day} {moment:%H:%M} UTC"


def _tables(found: FolderStatus) -> Iterator[Table]:
    proven = [
        (each.name, days.begin, str(days.last)) for each in found.coverage for days in each.proven
    ]
    if proven:
        columns = [Column("category", whole=True), Column("proven from", whole=True)]
        yield Table([*columns, Column("up to", whole=True)], proven)
    if found.runs:
        columns = [Column("run", whole=True), Column("outcome")]
        numbers = [Column(n, whole=True, is_number=True) for n in ("papers", "new", "changed")]
        yield Table([*columns, *numbers], [_row(run) for run in found.runs])


def _row(run: LastRun) -> list[str]:
    numbers = (run.papers, run.new_records, run.new_snapshots)
    return [run.run, run.outcome, *("" if n is None else f"{n:,}" for n in numbers)]
