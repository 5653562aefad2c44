"""The types of a bundle, and of a document that may become one."""

from collections.abc import Sequence
from typing import Any, Literal, TypedDict

from transforms.documents.event import Event
from transforms.documents.record import Alias, BundleSignature, PublicKey, Record, Source
from transforms.documents.state import State

Document = dict[str, Any]
"""A JSON object from outside, of which nothing is known yet."""


class Links(TypedDict):
    """The addresses at which a record is published."""

    resolver: str
    bundle: str
    state: str
    well_known_bundle: str


class MirrorHint(TypedDict):
    """An address of a registry that keeps the record."""

    mirror_type: str
    name: str
    base_url: str
    bundle_url: str
    state_url: str
    well_known_bundle_url: str
    status: str


class UnsignedBundle(TypedDict):
    """The part of a bundle that its signature signs: all but that signature."""

    bundle_type: Literal["pith_open_graph_bundle"]
    bundle_version: str
    pith_number: str
    short_pith_number: str
    canonical_record: Record
    canonical_sha256: str
    source: Source
    source_aliases: Sequence[Alias]
    events: Sequence[Event]
    timestamp_proofs: list[object]
    mirror_hints: list[MirrorHint]
    public_keys: Sequence[PublicKey]
    merge_version: str
    built_at: str
    links: Links
    state: State


class Bundle(UnsignedBundle):
    """The signed bundle of one record."""

    bundle_signature: BundleSignature
