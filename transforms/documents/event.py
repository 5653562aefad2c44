"""The types of events: the two of this format, and any other, whose payload is of any form."""

from typing import NotRequired, TypedDict, TypeGuard

from transforms.documents.record import Receipt, Record, Signature, Source

Section = dict[str, object]
"""A part of a snapshot that other tools fill; its form is not known."""


class CreatedPayload(TypedDict):
    """The payload of `record_created`."""

    canonical_record: Record
    canonical_sha256: str
    receipt: Receipt
    source_kind: str
    source_id: str
    source_version: int
    attestation_state: str


class SnapshotPaper(TypedDict):
    """The paper as a snapshot shows it."""

    title: str
    license: str
    headline: str
    cross_cats: list[str]
    primary_cat: str
    authors_text: str
    submitted_at: str
    abstract_excerpt: str


class Snapshot(TypedDict):
    """The paper as it was at a moment, and what other tools said of it."""

    paper: SnapshotPaper
    claims: Section
    source: Source
    verdict: Section
    references: Section
    formal_canon: Section
    author_claims: Section
    builder_version: str


class SnapshotPayload(TypedDict):
    """The payload of `graph_snapshot`."""

    graph_snapshot: Snapshot
    verdict_id: str | None


class Signer(TypedDict):
    """The claimed signer of an event; foreign ones need a `signer_id` alone."""

    signer_id: str
    signer_type: NotRequired[str]
    key_id: NotRequired[str]
    public_key_fingerprint: NotRequired[str]


class UnsignedEvent(TypedDict):
    """The part of an event that its id covers, whatever its type."""

    event_type: str
    subject_pith_number: str
    target: str
    payload: object
    signer: Signer
    created_at: str
    supersedes: list[str]
    prev_event: str | None
    schema_version: str


class _SignedEvent(TypedDict):
    event_type: str
    subject_pith_number: str
    target: str
    signer: Signer
    created_at: str
    supersedes: list[str]
    prev_event: str | None
    signature: Signature
    content_sha256: str
    schema_version: str
    event_id: str


class CreatedEvent(_SignedEvent):
    """The event `record_created`, which gives a record its receipt."""

    payload: CreatedPayload


class SnapshotEvent(_SignedEvent):
    """The event `graph_snapshot`."""

    payload: SnapshotPayload


class ForeignEvent(_SignedEvent):
    """An event of any other type."""

    payload: object


Event = CreatedEvent | SnapshotEvent | ForeignEvent


def is_created(event: Event) -> TypeGuard[CreatedEvent]:
    """Return whether a valid event is a `record_created`."""
    return event["event_type"] == "record_created"


def is_snapshot(event: Event) -> TypeGuard[SnapshotEvent]:
    """Return whether a valid event is a `graph_snapshot`."""
    return event["event_type"] == "graph_snapshot"
