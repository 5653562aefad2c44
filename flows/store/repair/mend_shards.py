"""Mending shards: whole ones that the ledger lost are taken up, of others what verifies is kept."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

from flows.common.counts import counted
from flows.common.errors import StoreError
from flows.store.bundles.reader import find_bundles
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.copies import readable_catalog
from flows.store.layout import BUNDLES, TABLES, Layout
from flows.store.ledger import Ledger
from flows.store.parquet.schema import SCHEMAS
from flows.store.parquet.shards import ShardName, read_rows, read_whole_marks
from flows.store.parquet.writer import ShardWriter, committed_files, name_shard
from flows.store.repair.examine import Findings
from flows.store.repair.inspection import check_bytes
from flows.store.repair.rebuild import append_shard, issued
from flows.store.repair.rescue import Rescuer
from transforms.encoding.strict_json import read_json


@dataclass(slots=True)
class ShardMender:
    """Mends the shards of one data folder; `set_aside` moves a file away by its key."""

    layout: Layout
    found: Findings
    ledger: Ledger
    rescuer: Rescuer
    run: str
    set_aside: Callable[[str], None]
    done: list[str] = field(default_factory=list)
    _shard_of: dict[str, str] = field(default_factory=dict)

    def mend(self) -> bool:
        """Mend all shards that are damaged or unknown, and tell whether there were any.

        Those of another data folder, and what a repair that was killed had replaced, are set aside:
        readers of the tables would take them for ours.
        """
        replaced = {name for written in self.found.entries for name in written.entry.replaces}
        unknown: dict[str, ShardName] = {}
        for one in self.found.unknown:
            if one.shard and one.ours and one.shard.name not in replaced:
                unknown[one.shard.name] = one.shard
            elif one.shard:
                self.set_aside(one.key)
        damaged = {_shard(one.key) for one in self.found.wrong}
        if not damaged and not unknown:
            return False
        self._index(shard for shard in self.found.committed.shards if shard not in damaged)
        whole = [shard for shard in unknown.values() if self._is_whole(shard)]
        for shard in sorted(whole, key=lambda one: (issued(self.layout, one), one.name)):
            if self._may_follow(shard):
                append_shard(self.layout, self.ledger, shard, issued(self.layout, shard))
                self._index([shard.name])
                self.done.append(f"took up the shard {shard.name}")
                del unknown[shard.name]
        if damaged or unknown:
            self._rescue(damaged, unknown)
        return True

    def _index(self, shards: Iterable[str]) -> None:
        """Note in which of these shards, the last one, each record's bundle lies."""
        for shard in shards:
            for (number,) in read_rows(self.layout, "bundles", shard, ["pith_number"]):
                self._shard_of[number] = shard

    def _is_whole(self, shard: ShardName) -> bool:
        try:
            return read_whole_marks(self.layout, shard.name) is not None
        except StoreError:
            return False

    def _may_follow(self, shard: ShardName) -> bool:
        """Return whether the bundles all verify and hold all events known of their records."""
        followed: dict[str, dict[str, set[str]]] = {}
        try:
            rows = read_rows(self.layout, "bundles", shard.name, ["pith_number", "bundle"])
            for number, data in rows:
                if not self.rescuer.is_good(data):
                    return False
                if before := self._shard_of.get(number):
                    followed.setdefault(before, {})[number] = _event_ids(data)
            for before, ids in followed.items():
                known = find_bundles(self.layout, before, ids)
                if any(not _event_ids(data) <= ids[number] for number, data in known.items()):
                    return False
            for table, schema in SCHEMAS.items():
                deque(read_rows(self.layout, table, shard.name, schema.names), maxlen=0)
        except StoreError:
            return False
        return True

    def _rescue(self, damaged: set[str], unknown: dict[str, ShardName]) -> None:
        """Write what is left of shards into a new one that replaces them, and set them aside."""
        layout, number = self.layout, self.ledger.head.number + 1
        replaced = sorted(damaged | unknown.keys())
        self._gather(damaged, unknown)
        shard = ShardName(f"restored-{number:08}", "restored", self.run, self.found.folder)
        writer = ShardWriter()
        tables = self.rescuer.rows(self._written_events())
        for table, rows in tables.items():
            writer.add(table, rows)
        files = writer.write(layout, shard)
        self.ledger.append(
            moment=max(self.rescuer.moment, self.ledger.head.moment),
            run=self.run,
            shard=shard.name if files else "",
            unit=shard.unit if files else "",
            committed=committed_files(files),
            replaces=replaced,
        )
        name_shard(layout, files)
        for key in (layout.shard(table, one) for one in replaced for table in TABLES):
            if layout.files.exists(key):
                self.set_aside(key)
        lost = len(self.rescuer.lost())
        shards = counted(len(replaced), "damaged shards")
        whole = counted(len(tables.get("bundles", [])), "records")
        gone = counted(lost, "records are lost until their papers come",
                       "record is lost until its paper comes")  # fmt: skip
        self.done.append(
            f"kept what verifies of {shards}, {whole}, as {shard.name}"
            + (f"; {gone} again" if lost else "")
        )

    def _gather(self, damaged: set[str], unknown: dict[str, ShardName]) -> None:
        """Show the rescuer all that may hold something of the records of these shards."""
        rescuer, layout = self.rescuer, self.layout
        if damaged and self.found.catalog_problem is None:
            with closing(Catalog.open(readable_catalog(layout), read_only=True)) as catalog:
                for shard in damaged:
                    rescuer.numbers |= {record.pith_number for record in catalog.of_shard(shard)}
        for shard in sorted(damaged):
            files = self.found.committed.shards[shard].files
            intact = {file.key for file in files if check_bytes(layout.files, file) is None}
            rescuer.take_shard(shard, {key.split("/")[1] for key in intact})
        for shard in sorted(unknown):
            rescuer.take_shard(shard, TABLES if self._is_whole(unknown[shard]) else ())
        # A bundle file may hold what no table does any more.
        for number, key in find_bundle_files(layout):
            if number in rescuer.numbers or number not in self._shard_of:
                rescuer.take_bundle_file(number, key)
        known = {n: self._shard_of[n] for n in rescuer.numbers if n in self._shard_of}
        for shard in sorted(set(known.values())):
            rescuer.take_known(find_bundles(layout, shard, known))

    def _written_events(self) -> frozenset[str]:
        """Take the events of rescued records that lie in good shards, and return their ids."""
        written = set()
        for shard in sorted(set(self._shard_of.values())):
            for number, event_id, event in read_rows(
                self.layout, "events", shard, ["pith_number", "event_id", "event"]
            ):
                if number in self.rescuer.numbers:
                    self.rescuer.take_event(event)
                    written.add(event_id)
        return frozenset(written)


def find_bundle_files(layout: Layout) -> Iterator[tuple[str, str]]:
    """Yield Pith Number and key of each bundle file, as its path names it."""
    files = layout.files
    for year in sorted(files.names(BUNDLES)):
        for start in sorted(files.names(f"{BUNDLES}/{year}")):
            for name in sorted(files.names(f"{BUNDLES}/{year}/{start}")):
                if name.endswith(".json"):
                    yield (
                        f"pith:{year}:{name.removesuffix('.json')}",
                        f"{BUNDLES}/{year}/{start}/{name}",
                    )


def _event_ids(bundle: bytes) -> set[str]:
    return {event["event_id"] for event in read_json(bundle)["events"]}


def _shard(key: str) -> str:
    return key.rpartition("/")[2].removesuffix(".parquet")
