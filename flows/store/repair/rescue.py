"""Rescuing what damaged shards leave behind: bundles and events that verify by themselves.

Nothing is believed that no signature covers: rows of papers and rejects are taken only from files
whose bytes are those that were committed.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

from flows.common.errors import StoreError
from flows.store.bundles.reader import newest_snapshot_sha256
from flows.store.layout import Layout
from flows.store.parquet.shards import read_rows
from flows.store.parquet.writer import Row
from transforms import Issuer
from transforms.bundle.build import bundle_bytes
from transforms.bundle.later_events import restore
from transforms.documents.bundle import Bundle
from transforms.documents.event import Event
from transforms.encoding.digest import sha256
from transforms.encoding.strict_json import NotStrictJsonError, read_json
from transforms.encoding.timestamps import from_text
from transforms.tables.rows import bundle_row, event_row
from transforms.tables.schema import BundleRow, PaperRow, RejectRow
from transforms.verify.verify import verify_bundle


@dataclass(slots=True)
class Rescuer:
    """Gathers what is left of records, and makes one good bundle of it for each.

    `keys` are the public keys (32 bytes) that count as ours; `issuer` signs bundles that have to be
    put together, of events that were signed before; without one, they are lost. `numbers` are the
    records to look for.
    """

    layout: Layout
    keys: frozenset[bytes]
    issuer: Issuer | None
    moment: datetime
    numbers: set[str] = field(default_factory=set)
    _bundles: dict[str, dict[bytes, tuple[Bundle, bytes]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    _events: dict[str, dict[str, Event]] = field(default_factory=lambda: defaultdict(dict))
    _papers: dict[str, PaperRow] = field(default_factory=dict)
    _known: dict[str, bytes] = field(default_factory=dict)
    _rejects: list[RejectRow] = field(default_factory=list)

    def take_shard(self, shard: str, intact: Iterable[str]) -> None:
        """Take what can be read of a shard's tables; `intact` are those with the right bytes."""
        whole = set(intact)
        for row in self._rows("bundles", shard, ["bundle"]):
            self._take_bundle(row[0])
        for row in self._rows("events", shard, ["event"]):
            self.take_event(row[0])
        if "papers" in whole:
            for row in self._rows("papers", shard, PaperRow._fields):
                paper = PaperRow._make(row)
                self._papers[paper.pith_number] = paper
                self.numbers.add(paper.pith_number)
        if "rejects" in whole:
            self._rejects += map(RejectRow._make, self._rows("rejects", shard, RejectRow._fields))

    def take_bundle_file(self, number: str, key: str) -> None:
        """Take a bundle file, one of a record that nothing else tells of only if it is of our keys.

        One that is damaged holds nothing.
        """
        with suppress(OSError, StoreError):
            data = self.layout.files.read(key)
            if number in self.numbers or verify_bundle(data, self.keys).trusted:
                self._take_bundle(data)

    def take_known(self, bundles: Mapping[str, bytes]) -> None:
        """Take the newest bundles that good shards hold, by number."""
        self._known |= bundles
        for data in bundles.values():
            self._take_bundle(data)

    def _rows(self, table: str, shard: str, columns: Sequence[str]) -> Iterator[Row]:
        """Yield the rows of a table as far as they can be read."""
        with suppress(StoreError, ValueError, KeyError):
            yield from read_rows(self.layout, table, shard, columns)

    def _take_bundle(self, data: bytes) -> None:
        if self.is_good(data):
            bundle = read_json(data)
            self.numbers.add(bundle["pith_number"])
            self._bundles[bundle["pith_number"]][sha256(data)] = bundle, data

    def take_event(self, data: bytes) -> None:
        """Take one event; whether it is valid is seen when a bundle is made of it."""
        with suppress(NotStrictJsonError, KeyError, TypeError):
            event = read_json(data)
            self._events[event["subject_pith_number"]][event["event_id"]] = event
            self.numbers.add(event["subject_pith_number"])

    def best(self, number: str) -> bytes | None:
        """Return the bundle with all that is left of a record, or None if too little is.

        One that has all its events already is given as it was signed.
        """
        copies = sorted(
            self._bundles[number].values(), key=lambda copy: (len(copy[0]["events"]), copy[1])
        )
        bundles = [bundle for bundle, _ in copies]
        events = {e["event_id"]: e for bundle in bundles for e in bundle["events"]}
        if self.issuer and (not copies or self._events[number].keys() - events.keys()):
            with suppress(KeyError, TypeError, ValueError, IndexError):
                all_events = list((self._events[number] | events).values())
                made = restore(all_events, bundles, issuer=self.issuer, moment=self.moment)
                data = bundle_bytes(made)
                if self.is_good(data) and not made["state"]["equivocation_count"]:
                    return data
        return copies[-1][1] if copies else None

    def is_good(self, data: bytes) -> bool:
        """Return whether a bundle verifies, under whichever keys: it may be of an older one."""
        return verify_bundle(data, self.keys).valid

    def lost(self) -> set[str]:
        """Return the records of which too little is left."""
        return {number for number in self.numbers if self.best(number) is None}

    def rows(self, written_events: frozenset[str]) -> dict[str, list[Row]]:
        """Return the rows of a shard with all that is left beside what good shards hold.

        `written_events` are the ids of the events that lie there.
        """
        events: list[Row] = []
        with_paper: list[tuple[Row, Row]] = []
        alone: list[Row] = []
        older: list[Row] = []
        for number in sorted(self.numbers):
            data = self.best(number)
            if data is None:
                continue
            bundle = read_json(data)
            arxiv_id = bundle["canonical_record"]["source"]["id"]
            events += [
                event_row(event, arxiv_id=arxiv_id)
                for event in bundle["events"]
                if event["event_id"] not in written_events
            ]
            paper = self._papers.get(number)
            if data == self._known.get(number):
                older += [paper] if paper else []
            elif paper:
                with_paper.append((paper, _bundle_row(bundle, data)))
            else:
                alone.append(_bundle_row(bundle, data))
        # Parallel rows, as in every shard, as long as there are both.
        tables: dict[str, list[Row]] = {
            "papers": [*(paper for paper, _ in with_paper), *older],
            "events": events,
            "bundles": [*(bundle for _, bundle in with_paper), *alone],
            "rejects": list(self._rejects),
        }
        return {table: rows for table, rows in tables.items() if rows}


def _bundle_row(bundle: Bundle, data: bytes) -> BundleRow:
    snapshot_sha256 = newest_snapshot_sha256(bundle)
    signed_at = from_text(bundle["bundle_signature"]["signed_at"])
    row = bundle_row(bundle, snapshot_sha256=snapshot_sha256, issued_at=signed_at)
    return row._replace(bundle=data)
