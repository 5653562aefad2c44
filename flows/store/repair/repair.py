"""Mending a data folder without losing anything: what is damaged is set aside, never deleted.

The steps build on one another: id, ledger, shards, catalog. What is put right is committed to the
ledger, so that a repair that was killed is gone on with by the next one.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from flows.common.counts import counted
from flows.common.errors import StoreError
from flows.store.files.local import Files
from flows.store.layout import Layout
from flows.store.ledger import (
    IDENTITY,
    Head,
    Ledger,
    entry_key,
    make_identity,
    read_identity,
    write_number,
)
from flows.store.opening import make_again, open_for_writing
from flows.store.repair.examine import Findings
from flows.store.repair.mend_shards import ShardMender
from flows.store.repair.rescue import Rescuer

DAMAGED = "damaged"
"""Files that were set aside lie below it, in a folder for each repair."""


@dataclass(slots=True)
class Repair:
    """One repair of a data folder; `done` says what it did, a sentence each."""

    layout: Layout
    found: Findings
    rescuer: Rescuer
    run: str
    done: list[str] = field(default_factory=list)

    def mend(self, lost_replies: Sequence[str]) -> None:
        """Mend what was found; `lost_replies` are keys of kept replies that are gone or damaged."""
        self._mend_identity()
        ledger = self._mend_ledger()
        mender = ShardMender(
            self.layout, self.found, ledger, self.rescuer, self.run, self._set_aside, self.done
        )
        changed = mender.mend()
        self._note_lost(ledger, lost_replies)
        if changed or self.found.catalog_problem:
            problem = self.found.catalog_problem or "knew other shards"
            make_again(self.layout, self.found.folder, problem, self.done.append).close()
        # As the next run will: what was committed here is taken up, and no doubt is left.
        open_for_writing(self.layout, self.done.append)[0].close()

    def _mend_identity(self) -> None:
        files = self.layout.files
        with suppress(StoreError):
            if read_identity(files) == self.found.folder:
                return
        if files.exists(IDENTITY):
            self._set_aside(IDENTITY)
        self.found.folder = make_identity(files, self.rescuer.moment, self.found.folder or None)
        self.done.append(f"made {files.location(IDENTITY)} again")

    def _mend_ledger(self) -> Ledger:
        """Put entries back of which the catalog has a copy; set aside what is no entry of it."""
        files, found = self.layout.files, self.found
        for number in found.stray:
            self._set_aside(entry_key(number))
        for written in found.restorable:
            write_number(files, written)
        if found.restorable:
            self.done.append(f"put {counted(len(found.restorable), 'entries')} of the ledger back")
        return Ledger(files, found.folder, Head.of(found.entries[-1]) if found.entries else Head())

    def _note_lost(self, ledger: Ledger, keys: Sequence[str]) -> None:
        """Set damaged replies aside, and note in the ledger that they are lost."""
        if not keys:
            return
        for key in keys:
            if self.layout.files.exists(key):
                self._set_aside(key)
        moment = max(self.rescuer.moment, ledger.head.moment)
        ledger.append(moment=moment, run=self.run, lost=sorted(keys))
        lost = counted(len(keys), "kept replies are", "kept reply is")
        self.done.append(f"noted that {lost} lost; put copies back if you can")

    def _set_aside(self, key: str) -> None:
        set_aside(self.layout.files, self.run, key, self.done)


def set_aside(files: Files, run: str, key: str, done: list[str]) -> None:
    """Move a file below `damaged/`, and say where it is."""
    to = f"{DAMAGED}/{run}/{key}"
    files.move(key, to)
    done.append(f"set {files.location(key)} aside as {files.location(to)}")
