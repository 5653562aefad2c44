"""The types of the state to which events merge."""

from collections.abc import Sequence
from typing import Literal, TypedDict

from transforms.documents.event import CreatedPayload, Signer, SnapshotPayload
from transforms.documents.record import Record


class _View(TypedDict):
    event_id: str
    target: str
    created_at: str
    signer: Signer


class EventView(_View):
    """An active event as the state has it."""

    payload: object


class CreatedView(_View):
    """The newest active `record_created` as the state has it."""

    payload: CreatedPayload


class SnapshotView(_View):
    """An active `graph_snapshot` as the state has it."""

    payload: SnapshotPayload


class Current(TypedDict):
    """The active events of a state, by type."""

    canonical_record: Record | None
    source_aliases: Sequence[object]
    graph_snapshots: list[SnapshotView]
    author_attestations: list[EventView]
    timestamp_anchors: list[EventView]
    storage_attestations: list[EventView]
    citation_signatures: list[EventView]
    replication_records: list[EventView]
    corrections: list[EventView]
    mirror_hints: list[EventView]
    record_created: CreatedView | None


class Equivocation(TypedDict):
    """Events of one signer that contradict each other."""

    event_ids: list[str]
    event_type: str
    prev_event: str | None
    signer_id: str
    target: str


class InvalidEvent(TypedDict):
    """An event that does not count, and why; the id is the one that it claims."""

    event_id: str | None
    reason: str


class UnhashedState(TypedDict):
    """The state of a record but for its hash."""

    state_type: Literal["pith_open_graph_state"]
    state_version: str
    pith_number: str
    merge_version: str
    event_count: int
    valid_event_count: int
    invalid_event_count: int
    equivocation_count: int
    current: Current
    equivocations: list[Equivocation]
    invalid_events: list[InvalidEvent]
    applied_event_ids: list[str]


class State(UnhashedState):
    """The state to which a record's events merge."""

    state_sha256: str
