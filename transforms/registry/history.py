"""The history of a record as its events tell it: each snapshot, and what changed since the last."""

from collections.abc import Iterator
from dataclasses import dataclass

from transforms.documents.bundle import Bundle
from transforms.documents.event import SnapshotPaper, is_snapshot

_NAMES = {
    "title": "Title",
    "authors_text": "Authors",
    "abstract_excerpt": "Abstract (excerpt)",
    "primary_cat": "Primary category",
    "cross_cats": "Cross-lists",
    "license": "Licence",
    "submitted_at": "Submitted",
    "headline": "Headline",
}


@dataclass(frozen=True, slots=True)
class Change:
    """A field of the paper that a snapshot shows otherwise than the one before."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class SnapshotEntry:
    """A snapshot: its event, when it was made, and the changes; the first one has none."""

    event_id: str
    created_at: str
    changes: list[Change]
    is_first: bool


def snapshot_history(bundle: Bundle) -> list[SnapshotEntry]:
    """Return the snapshots of a valid bundle in the order of its events."""
    entries: list[SnapshotEntry] = []
    before: SnapshotPaper | None = None
    for event in bundle["events"]:
        if is_snapshot(event):
            paper = event["payload"]["graph_snapshot"]["paper"]
            changes = list(_changes(before, paper)) if before else []
            entries.append(
                SnapshotEntry(event["event_id"], event["created_at"], changes, before is None)
            )
            before = paper
    return entries


def _changes(before: SnapshotPaper, after: SnapshotPaper) -> Iterator[Change]:
    old, new = dict(before), dict(after)
    for field, name in _NAMES.items():
        if old.get(field) != new.get(field):
            yield Change(name, _text(old.get(field)), _text(new.get(field)))


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
