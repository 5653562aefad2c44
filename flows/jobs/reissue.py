"""Issuing receipts again, after a change of key (spec, section 4, later events)."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from flows.common.batches import batches
from flows.common.config import Config
from flows.common.counts import Counts
from flows.common.errors import ConfigError
from flows.ingest.commit import commit_with_files
from flows.ingest.prepare import PAPERS_A_BATCH, Prepared
from flows.ingest.run import Nouns, Run, UnitResult
from flows.ingest.steps import DIRECTLY, Step, StepRunner, step_size
from flows.jobs.job import open_run, write_report
from flows.jobs.report import RunReport
from flows.store.bundles.reader import newest_snapshot_sha256, read_bundles, verified
from flows.store.catalog.records import UNKNOWN_SNAPSHOT, Commit, KnownRecord, record_row
from flows.store.catalog.references import find_records, parse_references
from flows.store.files.local import writing
from flows.store.parquet.shards import ShardName, read_rows_of
from flows.store.parquet.writer import ShardWriter
from flows.store.repair.inspection import require_shard
from transforms.bundle.later_events import active_creation
from transforms.bundle.later_events import reissue as issue_again
from transforms.paper.reference import Reference
from transforms.tables.rows import bundle_row, event_row
from transforms.tables.schema import PaperRow


def reissue(
    config: Config,
    references: Sequence[str] = (),
    *,
    job_name: str,
    steps: StepRunner = DIRECTLY,
) -> RunReport:
    """Sign the receipts of these papers, or of all records, with the current key.

    A paper stands for its newest record, unless a version or a Pith Number names another one.
    Nothing is asked of arXiv; what the current key signed already is unchanged, so that a run that
    was killed goes on where it stopped.
    """
    named = parse_references(references)
    with open_run(job_name, config, steps) as run:
        run.nouns = Nouns(units="shards", papers="records")
        catalog = run.store.catalog
        chosen: dict[str, list[KnownRecord]] = {}
        for record in _find_each(run, named):
            chosen.setdefault(record.shard, []).append(record)
        names = list(chosen) if references else sorted(catalog.shard_names())
        run.progress.count("records")
        run.progress.expect(
            sum(map(len, chosen.values())) if references else catalog.count("records")
        )
        groups = list(batches(names, step_size(len(names), config.limits.steps)))
        for number, some in enumerate(groups, 1):
            run.progress.begin(f"shards from {some[0]}", number, len(groups))
            again = partial(_reissue_each, run, some, chosen)
            name = f"reissue receipts of shard {some[0]}"
            steps.run(
                Step.REISSUE_RECEIPTS, name if len(some) == 1 else f"{name} to {some[-1]}", again
            )
    return write_report(run)


def _find_each(run: Run, references: Sequence[Reference]) -> list[KnownRecord]:
    """Return each record meant once; a reference that means none is noted as a failure."""
    store, found = run.store, dict[str, KnownRecord]()
    for reference in references:
        try:
            record = find_records(store.catalog, reference, store.layout.location)[-1]
        except ConfigError as error:
            run.results.append(UnitResult(str(reference), failure=str(error)))
        else:
            found[record.pith_number] = record
    return list(found.values())


def _reissue_each(
    run: Run, shards: Sequence[str], chosen: Mapping[str, Sequence[KnownRecord]]
) -> None:
    for shard in shards:
        records = chosen.get(shard) or run.store.catalog.of_shard(shard)
        if records:
            run.results.append(_reissue_records(run, shard, records))


def _reissue_records(run: Run, shard: str, records: Sequence[KnownRecord]) -> UnitResult:
    """Issue the receipts of records in one shard again, unless the current key signed them.

    The new bundles are a shard of their own; the old one stays as it is (spec, section 4).
    """
    store, moment, writer = run.store, run.clock(), ShardWriter()
    require_shard(store.layout, store.catalog, shard, "papers")
    unit = f"again-{shard}"
    name = ShardName(store.catalog.next_shard(unit), unit, run.name, store.catalog.folder)
    again: list[KnownRecord] = []
    # Those without a row in `papers` come last, as in a shard that was repaired.
    ordered = sorted(records, key=lambda record: record.snapshot_sha256 == UNKNOWN_SNAPSHOT)
    for some in batches(ordered, PAPERS_A_BATCH):
        again += _reissue_some(run, shard, some, moment, writer)
    done = len(again)
    counts = Counts(papers=len(records), unchanged=len(records) - done, reissued=done)
    if not again:
        return UnitResult(shard, counts)
    with writing(store.layout.root), store.watch.stage("write tables"):
        files = writer.write(store.layout, name)
    rows = tuple(
        record_row(r.arxiv_id, r.version, r.pith_number, r.snapshot_sha256, r.datestamp, moment)
        for r in again
    )
    return commit_with_files(run, shard, Prepared(counts, Commit(name, rows), files))


def _reissue_some(
    run: Run, shard: str, records: Sequence[KnownRecord], moment: datetime, writer: ShardWriter
) -> list[KnownRecord]:
    """Issue receipts again, add their rows to `writer`, and return those whose turn it was."""
    layout, again = run.store.layout, []
    of_events, of_bundles = [], []
    for record, data in read_bundles(layout, records):
        bundle = verified(layout, record, data)
        current = active_creation(bundle)["payload"]["receipt"]
        if current["public_key_fingerprint"] != run.issuer.fingerprint:
            bundle = issue_again(bundle, issuer=run.issuer, moment=moment)
            snapshot_sha256 = newest_snapshot_sha256(bundle)
            of_events.append(event_row(bundle["events"][-1], arxiv_id=record.arxiv_id))
            of_bundles.append(bundle_row(bundle, snapshot_sha256=snapshot_sha256, issued_at=moment))
            again.append(record)
    # Papers and bundles of a shard are parallel rows, and both are read in their order.
    numbers = {
        record.shard_row: record.pith_number
        for record in again
        if record.snapshot_sha256 != UNKNOWN_SNAPSHOT
    }
    found = read_rows_of(layout, "papers", shard, PaperRow._fields, numbers)
    of_papers = [PaperRow._make(row)._replace(issued_at=moment) for _, row in found]
    writer.add("papers", of_papers)
    writer.add("events", of_events)
    writer.add("bundles", of_bundles)
    return again
