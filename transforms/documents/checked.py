"""The form of a bundle: which keys each part has and what their values look like.

These types say what `docs/format.md` says and no more than other checks leave open: a value that
one of them recomputes or compares is of any type here. `schemas/*.json` describe what this version
writes, which is less than a verifier takes (docs/format.md, section 9).
"""

import re
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import Meta

from transforms.documents.bundle import Document

WEB_BASE = re.compile(
    r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
    r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*",
    re.ASCII,
)
"""A web address below which others are made: no user, query, fragment or slash at the end."""

WEB_PAGE = re.compile(r"\Ahttps?://[!-~]+\Z")

Name = Annotated[str, Meta(min_length=1)]
Line = Annotated[str, Meta(pattern=r"\A[^\n]*\Z")]
Seconds = Annotated[str, Meta(min_length=20, max_length=20)]
"""A time in whole seconds by its length; that it is one is checked where it is compared."""
Micros = Annotated[str, Meta(min_length=27, max_length=27)]
Hash = Annotated[str, Meta(pattern=r"\A[0-9a-f]{64}\Z")]
EventId = Annotated[str, Meta(pattern=r"\Asha256:[0-9a-f]{64}\Z")]
Url = Annotated[str, Meta(pattern=WEB_PAGE.pattern)]
ArxivId = Annotated[
    str, Meta(pattern=r"\A(?:[0-9]{4}\.[0-9]{4,5}|[a-z]+(?:-[a-z]+)*(?:\.[A-Z]{2})?/[0-9]{7})\Z")
]
Category = Annotated[str, Meta(pattern=r"\A[a-z]+(?:-[a-z]+)*(?:\.[A-Za-z]+(?:-[a-z]+)*)?\Z")]
Version = Annotated[int, Meta(ge=1, le=9999)]

_T = TypeVar("_T")


class _Part(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    """An object with exactly these keys."""


class CheckedSource(_Part):
    """The version of a paper."""

    kind: Literal["arxiv"]
    id: ArxivId
    version: Version


class CheckedMetadata(_Part):
    """The canonical record's part about the paper."""

    license: Line
    primary_cat: Category
    submitted_at: Seconds
    cross_cats_sorted: list[Category]
    title_canon_sha256: Any
    abstract_canon_sha256: Hash


class CheckedRecord(_Part):
    """The canonical record."""

    source: CheckedSource
    metadata: CheckedMetadata
    schema_version: Literal["1.0"]


class CheckedReceipt(_Part):
    """The receipt; its signature, hash and times are checked by `receipt`."""

    kind: Literal["pith_receipt"]
    key_id: Name
    algorithm: Any
    signed_at: Micros
    signature_b64: Any
    signed_message: Any
    builder_version: Name
    receipt_version: Literal["0.3"]
    canonical_sha256: Any
    last_reissued_at: Micros
    signature_status: Any
    first_computed_at: Micros
    public_key_fingerprint: Any


class CheckedCreatedPayload(_Part):
    """The payload of `record_created`."""

    canonical_record: Any
    canonical_sha256: Any
    receipt: CheckedReceipt
    source_kind: str
    source_id: str
    source_version: Version
    attestation_state: Literal["computed"]


class CheckedSnapshotPaper(_Part):
    """The paper as a snapshot shows it."""

    title: Annotated[str, Meta(min_length=1, pattern=r"\A[^\n]*\Z")]
    license: Any
    headline: str
    cross_cats: list[str]
    primary_cat: Any
    authors_text: Line
    submitted_at: Any
    abstract_excerpt: Annotated[str, Meta(max_length=600)]


class CheckedSection(msgspec.Struct, gc=False):
    """A part of a snapshot that other tools fill; no more of its form is known."""

    snapshot_sha256: Annotated[str, Meta(min_length=64, max_length=64)]


class CheckedSnapshot(_Part):
    """The content of `graph_snapshot`; the check `sections` looks into its sections."""

    paper: CheckedSnapshotPaper
    claims: CheckedSection
    source: CheckedSource
    verdict: Document
    references: CheckedSection
    formal_canon: CheckedSection
    author_claims: CheckedSection
    builder_version: Name


class CheckedSnapshotPayload(_Part):
    """The payload of `graph_snapshot`."""

    graph_snapshot: CheckedSnapshot
    verdict_id: Any


class CheckedSigner(_Part):
    """The claimed signer of an event of this format, and the key."""

    signer_id: Name
    signer_type: Literal["pith_registry"]
    key_id: Any
    public_key_fingerprint: Any


class CheckedSignature(_Part):
    """An event's signature, which its id does not cover; verified by `events`."""

    signature_status: Any
    algorithm: Any
    key_id: Name
    public_key_fingerprint: Any
    signature_b64: Any
    signed_message: Any
    signed_at: Micros


class _OwnEvent(_Part):
    event_type: Any
    subject_pith_number: Any
    signer: CheckedSigner
    created_at: Seconds
    supersedes: list[EventId]
    prev_event: EventId | None
    signature: CheckedSignature
    content_sha256: Any
    schema_version: Literal["1.0"]
    event_id: Any


class CheckedRecordCreated(_OwnEvent):
    """The event that gives a record its receipt."""

    target: Literal["record"]
    payload: CheckedCreatedPayload


class CheckedGraphSnapshot(_OwnEvent):
    """The event that says what the paper showed."""

    target: Literal["graph"]
    payload: CheckedSnapshotPayload


class CheckedForeignEvent(msgspec.Struct, gc=False):
    """An event of any other type: it may be of any form that merges."""

    signature: CheckedSignature


CheckedEvent = CheckedRecordCreated | CheckedGraphSnapshot | CheckedForeignEvent


class CheckedPublicKey(_Part):
    """A key that signed something in the bundle; `public_keys` recomputes what the key decides."""

    key_id: Name
    algorithm: Any
    format: Any
    public_key_b64: Any
    public_key_hex: Any
    fingerprint_sha256_b32_first128bits: Any
    fingerprint_sha256_hex: Any
    rotates_at: Seconds | None
    url: Url | None
    notes: str


class CheckedBundle(_Part):
    """The whole bundle, its events as they came."""

    bundle_type: Any
    bundle_version: Any
    pith_number: Any
    short_pith_number: Any
    canonical_record: CheckedRecord
    canonical_sha256: Any
    source: Any
    source_aliases: Any
    events: list[Any]
    timestamp_proofs: list[Any]
    mirror_hints: list[Document]
    public_keys: Annotated[list[CheckedPublicKey], Meta(min_length=1)]
    merge_version: Any
    built_at: Any
    links: Document
    state: Any
    bundle_signature: Any


class SchemaError(ValueError):
    """A document is not of the form; the message says what and where."""


def typed_bundle(bundle: Document) -> tuple[CheckedBundle, list[CheckedEvent]]:
    """Return a bundle and its events as typed values; raises `SchemaError`."""
    typed = _convert(bundle, CheckedBundle, "")
    return typed, [_event(event, f"events[{n}]: ") for n, event in enumerate(typed.events)]


def _event(event: object, where: str) -> CheckedEvent:
    event_type = event.get("event_type") if isinstance(event, dict) else None
    typed: CheckedRecordCreated | CheckedGraphSnapshot
    if event_type == "record_created":
        typed = _convert(event, CheckedRecordCreated, where)
    elif event_type == "graph_snapshot":
        typed = _convert(event, CheckedGraphSnapshot, where)
    else:
        return _convert(event, CheckedForeignEvent, where)
    if len(set(typed.supersedes)) < len(typed.supersedes):
        raise SchemaError(f"{where}it supersedes one event twice")
    return typed


def _convert(value: object, kind: type[_T], where: str) -> _T:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise SchemaError(f"{where}{error}") from None
