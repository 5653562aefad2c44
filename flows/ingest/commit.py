"""From a reply to a committed shard: what all sources share, as plain functions.

The way of one page: parsed into papers and rejects, kept raw, prepared as a shard (`prepare`),
committed, bundle files, counted. No step reaches back.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime

from flows.common.counts import Counts
from flows.common.errors import PithError
from flows.common.process.collector import no_collections
from flows.common.process.signals import note, unbroken
from flows.ingest.prepare import Prepared, prepare
from flows.ingest.run import Run, UnitResult
from flows.ingest.unit import PreparedUnit
from flows.ingest.worker_context import WorkerContext
from flows.store.catalog.records import Commit, FinishedPart
from flows.store.catalog.windows import DoneWindow
from flows.store.files.local import writing
from flows.store.files.raw_replies import keep_reply
from flows.store.parquet.shards import ShardName
from flows.store.parquet.writer import Row, ShardWriter
from flows.store.store import Store
from transforms.encoding.digest import sha256, to_hex
from transforms.paper.selection import SeenIds
from transforms.parsing.arxiv_xml import Page
from transforms.tables.schema import VanishedRow


def process_reply(run: Run, data: bytes, page: Page, *, name: str) -> UnitResult:
    """Keep a reply as it came, then take its papers through the pipeline.

    `data` is what `page` was read from; `name` is how the report calls it.
    """
    with no_collections():
        found = prepare_reply(run.context, data, page, run.clock())
    return commit_with_files(run, name, found.prepared)


def prepare_reply(
    context: WorkerContext, data: bytes, page: Page, moment: datetime
) -> PreparedUnit:
    """Keep a reply as it came, and prepare its papers and rejects, issued at `moment`.

    `data` is what `page` was read from; its sha256 names it in the tables.
    """
    with writing(context.layout.root):
        source = keep_reply(context.layout, data)
        unit = f"oai-{source[:32]}"
        prepared = prepare(
            context, page.papers, page.rejects, unit=unit, source=source, moment=moment
        )
    if prepared.commit:
        prepared.commit = replace(prepared.commit, replies=(source,))
    ids = SeenIds()
    for paper in page.papers:
        ids.add(paper.id)
    return PreparedUnit(prepared, ids)


def commit_with_files(run: Run, name: str, prepared: Prepared) -> UnitResult:
    """Make what was prepared count, and write its bundle files."""
    result = commit_prepared(run, name, prepared)
    if prepared.commit:
        with unbroken():
            run.store.write_bundle_files(prepared.commit.shard.name)
    return result


def commit_prepared(
    run: Run, name: str, prepared: Prepared, finished_as: str | None = None
) -> UnitResult:
    """Make what was prepared count, and return what the report says of it.

    `finished_as` is how the catalog remembers that a unit was all of this. Bundle files are still
    due.
    """
    run.store.watch.add(prepared.seconds)
    finished = FinishedPart(finished_as, prepared.counts) if finished_as else None
    with unbroken():
        if prepared.commit:
            run.store.commit(prepared.commit, prepared.files, finished)
        elif finished:
            run.store.catalog.finish_part(finished)
        run.committed.add(prepared.counts)
        run.signed.update(prepared.signed)
        note_committed(run.committed)
        if not prepared.was_done:
            run.progress.add(prepared.counts)
    return UnitResult(name, prepared.counts, files=[file.written for file in prepared.files])


def note_committed(committed: Counts) -> None:
    """Note for the user what was committed, should a signal stop the run."""
    numbers = {
        "new records": committed.new_records,
        "new snapshots": committed.new_snapshots,
        "reissued receipts": committed.reissued,
    }
    counted = ", ".join(f"{number} {what}" for what, number in numbers.items() if number)
    if counted:
        note(f"what it committed is kept ({counted}), and the same command goes on from there")
    else:
        note("it committed nothing new, and the same command begins again")


def mark_deleted(run: Run, arxiv_ids: Sequence[str], *, source: str) -> None:
    """Mark papers that arXiv has no more; what was issued for them stays as it is."""
    new = tuple(i for i in arxiv_ids if not run.store.catalog.has_vanished(i))
    if new:
        noticed_at = run.clock()
        rows = [VanishedRow(arxiv_id, noticed_at, source) for arxiv_id in new]
        unit = f"vanished-{to_hex(sha256(' '.join(new).encode()))[:32]}"
        keep_rows(run, unit, "vanished", rows, vanished=new)


def keep_empty_tables(run: Run) -> None:
    """Keep an empty shard of the tables that a good run leaves without rows, once for a folder.

    So a reader's pattern always finds a file.
    """
    unit = "empty"
    shard = ShardName(f"{unit}-0", unit, run.name, run.store.catalog.folder)
    if run.store.catalog.next_shard(unit) != shard.name:
        return
    writer = ShardWriter()
    for table in ("rejects", "vanished", "windows"):
        writer.begin(table)
    with writing(run.store.layout.root):
        files = writer.write(run.store.layout, shard)
    run.store.commit(Commit(shard), files)


def keep_rows(
    run: Run,
    unit: str,
    table: str,
    rows: Sequence[Row],
    *,
    vanished: tuple[str, ...] = (),
    windows: tuple[DoneWindow, ...] = (),
) -> None:
    """Keep what a harvest learned beside papers, as a shard of its own."""
    shard = ShardName(run.store.catalog.next_shard(unit), unit, run.name, run.store.catalog.folder)
    writer = ShardWriter()
    writer.add(table, rows)
    with writing(run.store.layout.root):
        files = writer.write(run.store.layout, shard)
    with unbroken():
        run.store.commit(Commit(shard, vanished=vanished, windows=windows), files)


@contextmanager
def discarding_uncommitted(store: Store) -> Iterator[None]:
    """Remove what was written but never committed, where the block ends before its end."""
    try:
        yield
    except BaseException:
        with suppress(OSError, PithError):  # what went wrong before it matters more
            store.remove_unnamed()
        raise
