"""Issuing receipts again, after a change of key (spec, section 4, later events)."""

from collections.abc import Mapping, Sequence
from functools import partial

from flows.batches import batches
from flows.config import Config
from flows.counts import Counts
from flows.errors import ConfigError
from flows.job import Job, open_job
from flows.jobs import MAX_STEPS, directly
from flows.preparing import Prepared
from flows.progress import track
from flows.references import find_records, parse_references
from flows.report import RunReport
from flows.steps import Run, StepRunner, UnitResult, settle
from flows.store.catalog import Commit, KnownRecord, record_row
from flows.store.files import writing
from flows.store.shard_writer import ShardWriter
from flows.store.shards import ShardName, find_bundles, read_rows
from transforms.bundle import reissue as issue_again
from transforms.reference import Reference
from transforms.strict_json import read_json
from transforms.tables import PaperRow, bundle_row, event_row


def reissue(
    config: Config,
    references: Sequence[str] = (),
    *,
    job_name: str,
    in_step: StepRunner = directly,
) -> RunReport:
    """Sign the receipts of these papers, or of all records, with the current key.

    A paper stands for its newest record, unless a version or a Pith Number names another one.
    Nothing is asked of arXiv; what the current key signed already is unchanged, so that a run that
    was killed goes on where it stopped.
    """
    named = parse_references(references)
    with open_job(job_name, config) as job:
        catalog = job.run.store.catalog
        chosen: dict[str, list[KnownRecord]] = {}
        for record in _find_each(job, named):
            chosen.setdefault(record.shard, []).append(record)
        names = list(chosen) if references else sorted(catalog.shard_names())
        steps = list(batches(names, -(-len(names) // MAX_STEPS) or 1))
        for some in track(steps, total=len(steps), what="steps"):
            in_step(f"reissue {some[0]} …", partial(_reissue_each, job, some, chosen))
    return job.report()


def _find_each(job: Job, references: Sequence[Reference]) -> list[KnownRecord]:
    """Return each record meant once; a reference that means none is noted as a failure."""
    store, found = job.run.store, dict[str, KnownRecord]()
    for reference in references:
        try:
            record = find_records(store.catalog, reference, store.layout.place)[-1]
        except ConfigError as error:
            job.results.append(UnitResult(str(reference), failure=str(error)))
        else:
            found[record.pith_number] = record
    return list(found.values())


def _reissue_each(
    job: Job, shards: Sequence[str], chosen: Mapping[str, Sequence[KnownRecord]]
) -> None:
    for shard in shards:
        records = chosen.get(shard) or job.run.store.catalog.of_shard(shard)
        if records:
            job.results.append(_reissue_records(job.run, shard, records))


def _reissue_records(run: Run, shard: str, records: Sequence[KnownRecord]) -> UnitResult:
    """Issue the receipts of records in one shard again, unless the current key signed them.

    The new bundles are a shard of their own; the old one stays as it is (spec, section 4).
    """
    store, moment, counts = run.store, run.clock(), Counts(papers=len(records))
    name = ShardName(store.catalog.next_shard(f"again-{shard}"), f"again-{shard}", run.name)
    old = find_bundles(store.layout, shard, [record.pith_number for record in records])
    rows = read_rows(store.layout, "papers", shard, PaperRow._fields)
    papers = {row.pith_number: row for row in map(PaperRow._make, rows)}
    of_papers, of_events, of_bundles, again = [], [], [], []
    for record in records:
        bundle = read_json(old[record.pith_number])
        current = bundle["state"]["current"]["record_created"]["payload"]["receipt"]
        if current["public_key_fingerprint"] == run.issuer.fingerprint:
            counts.unchanged += 1
            continue
        bundle = issue_again(bundle, issuer=run.issuer, moment=moment)
        shown = record.shown_sha256
        of_papers.append(papers[record.pith_number]._replace(issued_at=moment))
        of_events.append(event_row(bundle["events"][-1], arxiv_id=record.arxiv_id))
        of_bundles.append(bundle_row(bundle, shown_sha256=shown.hex(), issued_at=moment))
        again.append(
            record_row(
                record.arxiv_id, record.version, record.pith_number, shown, record.datestamp, moment
            )
        )
        counts.reissued += 1
    if not again:
        return UnitResult(shard, counts)
    writer = ShardWriter()
    writer.add("papers", of_papers)
    writer.add("events", of_events)
    writer.add("bundles", of_bundles)
    with writing(store.layout.root), store.watch.stage("write tables"):
        files = writer.write(store.layout, name)
    return settle(run, shard, Prepared(counts, Commit(name, tuple(again)), files))
