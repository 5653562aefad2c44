"""From papers to a written shard that does not count yet: what any process can do by itself.

Compared with what is known, issued, written. Only the flow's process names and commits a shard.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from operator import attrgetter

from flows.common.counts import Counts
from flows.common.process.stopwatch import Stopwatch
from flows.ingest.worker_context import WorkerContext
from flows.store.bundles.reader import read_bundles, verified
from flows.store.catalog.records import (
    UNKNOWN_SNAPSHOT,
    Commit,
    KnownRecord,
    RecordRow,
    record_row,
)
from flows.store.parquet.schema import GROUP_ROWS
from flows.store.parquet.shards import ShardName
from flows.store.parquet.writer import ShardWriter, UnnamedFile
from transforms import Paper, Reject
from transforms.bundle.build import Draft, IssueTimes, draft
from transforms.bundle.later_events import append_snapshot
from transforms.bundle.template import BundleTemplate
from transforms.documents.bundle import Bundle
from transforms.documents.event import is_snapshot
from transforms.encoding.digest import sha256, to_hex
from transforms.encoding.strict_json import read_json
from transforms.tables.rows import bundle_row, event_row, paper_row, reject_row
from transforms.tables.schema import BundleRow, EventRow, PaperRow

PAPERS_A_BATCH = 500
"""So many papers are issued before their rows are compressed: about 10 MB of bundles and events."""

_GROUP = GROUP_ROWS["bundles"]

Signed = tuple[str, date | None, date]
"""What a report counts signed papers by: archive, day of change on arXiv, day of signing."""

_signed = attrgetter("primary_category", "datestamp", "issued_at")


@dataclass(slots=True)
class Prepared:
    """The counts of a unit's papers, and what its shard adds; None when nothing is new.

    `signed` counts the rows of its papers: 0.2 µs each, and no shard is read for a report.
    `was_done` tells that an earlier run did all of it, and counted so much.
    """

    counts: Counts = field(default_factory=Counts)
    commit: Commit | None = None
    files: list[UnnamedFile] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    signed: Counter[Signed] = field(default_factory=Counter)
    was_done: bool = False


def prepare(
    context: WorkerContext,
    papers: Sequence[Paper],
    rejects: Iterable[Reject],
    *,
    unit: str,
    source: str,
    moment: datetime,
) -> Prepared:
    """Compare and issue the papers of one unit of work and write its shard, without a name.

    `unit` names the shard; `source` names the input in the tables; `moment` is the time of all
    that is issued, so that the unit done again gives the same bytes.
    """
    watch = Stopwatch()
    # Before anything is compared: if another shard of this unit is committed meanwhile, the name
    # is taken, which tells that this one was prepared without knowing of that.
    shard = ShardName(context.catalog.next_shard(unit), unit, context.run, context.catalog.folder)
    batch = _Batch(context, source=source, moment=moment, watch=watch)
    batch.take_papers(papers)
    batch.take_rejects(rejects)
    if not batch.records and not batch.reject_sha256s:
        return Prepared(batch.counts, seconds=watch.seconds)
    with watch.stage("write tables"):
        files = batch.writer.write(context.layout, shard)
    commit = Commit(shard, tuple(batch.records), tuple(batch.reject_sha256s))
    return Prepared(batch.counts, commit, files, watch.seconds, _by_archive(batch.signed))


class _Batch:
    """One unit under work: the tables of its shard and what the catalog is to know of them."""

    def __init__(
        self, context: WorkerContext, *, source: str, moment: datetime, watch: Stopwatch
    ) -> None:
        self.context = context
        self.source = source
        self.moment = moment
        self.watch = watch
        self.counts = Counts()
        self.signed: Counter[tuple[str, date | None, datetime]] = Counter()
        self.records: list[RecordRow] = []
        self.reject_sha256s: list[str] = []
        self.writer = ShardWriter()
        self._rows: tuple[list[PaperRow], list[EventRow], list[BundleRow]] = ([], [], [])
        self._twice: set[str] = set()
        self._issued: dict[str, tuple[KnownRecord, bytes]] = {}
        self._kept: dict[str, bytes] = {}

    @cached_property
    def _template(self) -> BundleTemplate:
        """Made when the first new paper comes: most nights' papers are known."""
        return BundleTemplate(self.context.issuer, IssueTimes.at(self.moment))

    def take_papers(self, papers: Sequence[Paper]) -> None:
        """Issue what is new among `papers`, compared with the catalog and with each other."""
        times = Counter(paper.id for paper in papers)
        # Only these are compared with what the unit itself issued, so only their bundles are held.
        self._twice = {arxiv_id for arxiv_id, number in times.items() if number > 1}
        for start in range(0, len(papers), PAPERS_A_BATCH):
            some = papers[start : start + PAPERS_A_BATCH]
            with self.watch.stage("compare and issue"):
                known = self.context.catalog.known_of(paper.id for paper in some)
                drafts = [draft(paper) for paper in some]
                self._kept = self._read(_changed(drafts, known))
            for at in range(0, len(drafts), _GROUP):
                with self.watch.stage("compare and issue"):
                    for drafted in drafts[at : at + _GROUP]:
                        self._take(drafted, known)
                with self.watch.stage("write tables"):
                    self._flush_whole_groups()
            with self.watch.stage("write tables"):
                self._flush()

    def take_rejects(self, rejects: Iterable[Reject]) -> None:
        """Count every reject, and keep those whose bytes are not kept yet, once."""
        by_sha256: dict[str, Reject] = {}
        for reject in rejects:
            by_sha256.setdefault(to_hex(sha256(reject.raw)), reject)
            self.counts.rejects += 1
            self.counts.by_reason[reject.reason] = self.counts.by_reason.get(reject.reason, 0) + 1
        kept = self.context.catalog.known_rejects(by_sha256) if by_sha256 else set()
        new = {digest: reject for digest, reject in by_sha256.items() if digest not in kept}
        self.reject_sha256s += new
        self.writer.add("rejects", [reject_row(r, source=self.source) for r in new.values()])

    def _take(self, drafted: Draft, known: Mapping[str, KnownRecord]) -> None:
        paper, number, counts = drafted.paper, drafted.pith_id.number, self.counts
        counts.papers += 1
        counts.withdrawn += paper.withdrawn
        category = paper.categories[0]
        counts.by_category[category] = counts.by_category.get(category, 0) + 1
        own, _ = self._issued.get(number, (None, None))
        before = own or known.get(number)
        if before is None:
            counts.new_records += 1
            *events, bundle = self._template.issue(drafted)
            self._add(drafted, events, bundle)
        elif not _is_due(drafted, before) or (
            before.snapshot_sha256 == UNKNOWN_SNAPSHOT and self._was_shown(before, drafted)
        ):
            counts.unchanged += 1
        else:
            counts.new_snapshots += 1
            again = append_snapshot(
                self._bundle_of(before), drafted, issuer=self.context.issuer, moment=self.moment
            )
            event = event_row(again["events"][-1], arxiv_id=paper.id)
            snapshot = drafted.snapshot_sha256
            self._add(
                drafted, [event], bundle_row(again, snapshot_sha256=snapshot, issued_at=self.moment)
            )

    def _add(self, drafted: Draft, events: Sequence[EventRow], bundle: BundleRow) -> None:
        """Add the rows of a bundle and of its new events."""
        paper, number, snapshot = drafted.paper, drafted.pith_id.number, drafted.snapshot_sha256
        moment, day = bundle.issued_at, paper.datestamp
        if paper.id in self._twice:
            known = KnownRecord(paper.id, paper.version, number, snapshot, day, moment, "", -1)
            self._issued[number] = known, bundle.bundle
        self.records.append(record_row(paper.id, paper.version, number, snapshot, day, moment))
        of_papers, of_events, of_bundles = self._rows
        of_papers.append(paper_row(drafted, source=self.source, issued_at=moment))
        of_events += events
        of_bundles.append(bundle)

    def _flush_whole_groups(self) -> None:
        """Write the bundles that fill row groups: they are two thirds of what a batch holds."""
        of_bundles = self._rows[2]
        whole = len(of_bundles) // _GROUP * _GROUP
        self.writer.add("bundles", of_bundles[:whole])
        del of_bundles[:whole]

    def _flush(self) -> None:
        of_papers, of_events, of_bundles = self._rows
        self.signed.update(map(_signed, of_papers))
        self.writer.add("papers", of_papers)
        self.writer.add("events", of_events)
        self.writer.add("bundles", of_bundles)
        self._rows = ([], [], [])

    def _was_shown(self, before: KnownRecord, drafted: Draft) -> bool:
        """Return whether a repaired record showed a paper already; if so, make its lost row.

        What only an older snapshot shows is what arXiv said before.
        """
        bundle = self._bundle_of(before)
        newest = bundle["state"]["current"]["graph_snapshots"][-1]["event_id"]
        shown = {
            event["event_id"]: event["payload"]["graph_snapshot"]["paper"]
            for event in bundle["events"]
            if is_snapshot(event)
        }
        if shown[newest] == drafted.snapshot_paper:
            snapshot = drafted.snapshot_sha256
            row = bundle_row(bundle, snapshot_sha256=snapshot, issued_at=before.issued_at)
            self._add(drafted, [], row)
        return drafted.snapshot_paper in shown.values()

    def _read(self, records: Iterable[KnownRecord]) -> dict[str, bytes]:
        """Read the bundles of a batch's records at once, so that each shard is opened once.

        They stay bytes until their turn: as objects the garbage collector would look at them all.
        """
        found = read_bundles(self.context.layout, records)
        return {record.pith_number: bundle for record, bundle in found}

    def _bundle_of(self, record: KnownRecord) -> Bundle:
        number = record.pith_number
        if number not in self._issued:
            return verified(self.context.layout, record, self._kept[number])
        bundle: Bundle = read_json(self._issued[number][1])
        return bundle


def _changed(drafts: Iterable[Draft], known: Mapping[str, KnownRecord]) -> list[KnownRecord]:
    """Return the known records that are to get a new snapshot."""
    found = ((drafted, known.get(drafted.pith_id.number)) for drafted in drafts)
    return [record for drafted, record in found if record and _is_due(drafted, record)]


def _is_due(drafted: Draft, record: KnownRecord) -> bool:
    """Return whether a new snapshot is due: something else is shown, and not by an older reply."""
    if record.snapshot_sha256 == drafted.snapshot_sha256:
        return False
    then, now = record.datestamp, drafted.paper.datestamp
    return then is None or now is None or then <= now


def _by_archive(signed: Mapping[tuple[str, date | None, datetime], int]) -> Counter[Signed]:
    """Return how many papers were signed by archive: a year of them is some thousand numbers."""
    found: Counter[Signed] = Counter()
    for (category, day, moment), number in signed.items():
        found[category.partition(".")[0], day, moment.date()] += number
    return found
