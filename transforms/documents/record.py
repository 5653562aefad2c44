"""The types of the canonical record, its names, its receipt, and of signatures and keys."""

from typing import TypedDict


class Source(TypedDict):
    """A version of a paper; the record's order of keys is `id`, `kind`, the bundle's the other."""

    id: str
    kind: str
    version: int


class Metadata(TypedDict):
    """The canonical record's part about the paper."""

    license: str
    primary_cat: str
    submitted_at: str
    cross_cats_sorted: list[str]
    title_canon_sha256: str
    abstract_canon_sha256: str


class Record(TypedDict):
    """The canonical record, whose hash is the number."""

    source: Source
    metadata: Metadata
    schema_version: str


class Alias(TypedDict):
    """Another name of the record; for each paper there are six."""

    alias_kind: str
    alias_value: str
    created_at: str


class Receipt(TypedDict):
    """The signed statement that a record was computed."""

    kind: str
    key_id: str
    algorithm: str
    signed_at: str
    signature_b64: str
    signed_message: str
    builder_version: str
    receipt_version: str
    canonical_sha256: str
    last_reissued_at: str
    signature_status: str
    first_computed_at: str
    public_key_fingerprint: str


class Signature(TypedDict):
    """The signature object of an event, which the event's id does not cover."""

    signature_status: str
    algorithm: str
    key_id: str
    public_key_fingerprint: str
    signature_b64: str
    signed_message: str
    signed_at: str


class BundleSignature(Signature):
    """The signature object of a bundle."""

    bundle_sha256: str


class KeyFacts(TypedDict):
    """The fields of an entry of `public_keys` that the key alone decides."""

    algorithm: str
    format: str
    public_key_b64: str
    public_key_hex: str
    fingerprint_sha256_b32_first128bits: str
    fingerprint_sha256_hex: str


class PublicKey(KeyFacts):
    """An entry of a bundle's `public_keys`; `key_id` stands first."""

    key_id: str
    rotates_at: str | None
    url: str | None
    notes: str
