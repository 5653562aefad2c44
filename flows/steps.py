"""The steps that all three flows share: plain functions, from a reply to a committed shard.

The way of one page: kept raw, parsed into papers and rejects, compared with what is known, issued,
written as a shard, committed, bundle files, counted. No step reaches back.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

from flows.store.catalog import Commit, KnownRecord
from flows.store.raw import UnreadableReplyError, keep_reply, read_reply
from flows.store.shards import Rows, ShardName, WrittenFile, find_bundles
from flows.store.store import Store, writing
from flows.store.windows import DoneWindow
from transforms import Issuer, Paper, Reject, bundle_bytes
from transforms.arxiv_xml import Page, parse_page
from transforms.bundle import Draft, IssueTimes, append_snapshot, draft, issue
from transforms.canon import sha256
from transforms.oai_xml import MAX_PAGE_BYTES, OaiError, PageError
from transforms.strict_json import read_json
from transforms.tables import bundle_row, event_row, paper_row, reject_row

NUMBERS = (
    "papers", "new_records", "new_snapshots", "unchanged", "reissued", "withdrawn", "rejects",
)  # fmt: skip
PAPER_TABLES = ("papers", "events", "bundles", "rejects")

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the time; the one clock of the shell."""
    return datetime.now(UTC)


Work = Callable[[], None]


class StepRunner(Protocol):
    """Runs one step of a job: directly, or as a Prefect task with the same name."""

    def __call__(self, name: str, work: Work) -> None:
        """Do `work`, which notes what it did where its maker looks."""


@dataclass(slots=True)
class Counts:
    """What became of the papers of some units of work."""

    papers: int = 0
    new_records: int = 0
    new_snapshots: int = 0
    unchanged: int = 0
    reissued: int = 0
    withdrawn: int = 0
    rejects: int = 0
    by_category: dict[str, int] = field(default_factory=dict)
    by_reason: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        """Add another unit's counts to these."""
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for mine, theirs in (
            (self.by_category, other.by_category),
            (self.by_reason, other.by_reason),
        ):
            for name, number in theirs.items():
                _count(mine, name, number)


@dataclass(slots=True)
class UnitResult:
    """What became of one unit of work: its counts and files, or why it failed as a whole."""

    unit: str
    counts: Counts = field(default_factory=Counts)
    failure: str | None = None
    files: list[WrittenFile] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Run:
    """What all units of one run share."""

    store: Store
    issuer: Issuer
    name: str
    clock: Clock


def process_saved_reply(run: Run, path: Path) -> UnitResult:
    """Take one saved reply through the pipeline; a reply that cannot be used is a failure."""
    try:
        with run.store.watch.stage("read and parse"):
            data = read_reply(path, limit=MAX_PAGE_BYTES)
            page = parse_page(data)
    except OaiError as error:
        # An empty list is an answer; any other error means that a request went wrong.
        failure = None if error.code == "noRecordsMatch" else f"an error reply: {error}"
        return UnitResult(str(path), failure=failure)
    except (UnreadableReplyError, PageError) as error:
        return UnitResult(str(path), failure=str(error))
    return process_reply(run, data, page, name=str(path))


def process_reply(run: Run, data: bytes, page: Page, *, name: str) -> UnitResult:
    """Keep a reply as it came, then take its papers through the pipeline.

    `data` is what `page` was read from; `name` is how the report calls it.
    """
    with writing(run.store.layout.root):
        sha256 = keep_reply(run.store.layout, data)
    unit = f"oai-{sha256[:32]}"
    result = process_papers(run, page.papers, page.rejects, unit=unit, source=sha256)
    result.unit = name
    return result


def process_papers(
    run: Run, papers: Iterable[Paper], rejects: Iterable[Reject], *, unit: str, source: str
) -> UnitResult:
    """Compare, issue, write and commit the papers and rejects of one unit of work.

    `unit` names the shard; `source` names the input in the tables. Nothing is written when nothing
    is new.
    """
    store = run.store
    shard = ShardName(store.catalog.next_shard(unit), unit, run.name)
    batch = _Batch(run, shard=shard.name, source=source)
    with store.watch.stage("compare and issue"):
        batch.take_papers(papers)
        batch.take_rejects(rejects)
    if not batch.records and not batch.reject_sha256s:
        return UnitResult(unit, batch.counts)
    records, refused = tuple(batch.records.values()), tuple(batch.reject_sha256s)
    files = store.keep(Commit(shard, records, refused), batch.rows)
    return UnitResult(unit, batch.counts, files=files)


def mark_vanished(run: Run, arxiv_ids: Sequence[str], *, source: str) -> None:
    """Mark papers that arXiv has no more; what was issued for them stays as it is."""
    new = tuple(i for i in arxiv_ids if not run.store.catalog.has_vanished(i))
    if new:
        noticed_at = run.clock()
        rows = [{"arxiv_id": i, "noticed_at": noticed_at, "source": source} for i in new]
        unit = f"vanished-{sha256(' '.join(new).encode()).hex()[:32]}"
        keep_rows(run, unit, {"vanished": rows}, vanished=new)


def keep_rows(
    run: Run,
    unit: str,
    rows: Rows,
    *,
    vanished: tuple[str, ...] = (),
    windows: tuple[DoneWindow, ...] = (),
) -> None:
    """Keep what a harvest learned beside papers, as a shard of its own."""
    shard = ShardName(run.store.catalog.next_shard(unit), unit, run.name)
    run.store.keep(Commit(shard, vanished=vanished, windows=windows), rows)


class _Batch:
    """One unit under work: the rows of its shard and what the catalog is to know of them."""

    def __init__(self, run: Run, *, shard: str, source: str) -> None:
        self.run = run
        self.shard = shard
        self.source = source
        self.moment = run.clock()
        self.counts = Counts()
        self.records: dict[str, KnownRecord] = {}
        self.reject_sha256s: set[str] = set()
        self.rows: dict[str, list[dict[str, Any]]] = {table: [] for table in PAPER_TABLES}
        self._bundles: dict[str, dict[str, Any]] = {}

    def take_papers(self, papers: Iterable[Paper]) -> None:
        """Issue what is new among `papers`, compared with the catalog and with each other."""
        drafts = [draft(paper) for paper in papers]
        known = self.run.store.catalog.known(drafted.pith_id.number for drafted in drafts)
        for drafted in drafts:
            paper, number = drafted.paper, drafted.pith_id.number
            self.counts.papers += 1
            self.counts.withdrawn += paper.withdrawn
            _count(self.counts.by_category, paper.categories[0])
            before = self.records.get(number) or known.get(number)
            if before is None:
                self.counts.new_records += 1
                times = IssueTimes.at(self.moment)
                self._add(drafted, issue(drafted, issuer=self.run.issuer, times=times), events=2)
            elif before.shown_sha256 == drafted.shown_sha256.hex() or _is_older(paper, before):
                self.counts.unchanged += 1
            else:
                self.counts.new_snapshots += 1
                bundle = append_snapshot(
                    self._bundles.get(number) or self._stored(before),
                    drafted,
                    issuer=self.run.issuer,
                    moment=self.moment,
                )
                self._add(drafted, bundle, events=1)

    def take_rejects(self, rejects: Iterable[Reject]) -> None:
        """Keep the rejects that are not kept yet; count them all."""
        by_sha256 = {sha256(reject.raw).hex(): reject for reject in rejects}
        kept = self.run.store.catalog.known_rejects(by_sha256)
        for digest, reject in by_sha256.items():
            self.counts.rejects += 1
            _count(self.counts.by_reason, reject.reason)
            if digest not in kept:
                self.reject_sha256s.add(digest)
                self.rows["rejects"].append(reject_row(reject, source=self.source))

    def _add(self, drafted: Draft, bundle: dict[str, Any], *, events: int) -> None:
        """Add the rows of a bundle, of which the last `events` events are new."""
        paper, number, shown = drafted.paper, drafted.pith_id.number, drafted.shown_sha256.hex()
        self._bundles[number] = bundle
        self.records[number] = KnownRecord(
            number, paper.id, paper.version, shown, paper.datestamp, self.moment, self.shard
        )
        data = bundle_bytes(bundle)
        self.rows["papers"].append(paper_row(paper, bundle, source=self.source))
        self.rows["events"] += [
            event_row(event, arxiv_id=paper.id) for event in bundle["events"][-events:]
        ]
        self.rows["bundles"].append(bundle_row(bundle, data, shown_sha256=shown))

    def _stored(self, record: KnownRecord) -> dict[str, Any]:
        found = find_bundles(self.run.store.layout, record.shard, [record.pith_number])
        bundle: dict[str, Any] = read_json(found[record.pith_number])
        return bundle


def _count(counts: dict[str, int], name: str, number: int = 1) -> None:
    counts[name] = counts.get(name, 0) + number


def _is_older(paper: Paper, record: KnownRecord) -> bool:
    """Tell whether `paper` is what arXiv said before the snapshot that the record has."""
    if paper.datestamp is None or record.datestamp is None:
        return False
    return paper.datestamp < record.datestamp
