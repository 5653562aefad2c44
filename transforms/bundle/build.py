"""The signed bundle of one record: everything known of it, in one file (spec, section 6)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

import orjson

from transforms.bundle.events import Issuance, graph_snapshot, record_created, snapshot_paper
from transforms.bundle.receipt import build_receipt
from transforms.bundle.record import PithId, canonical_record, identify_json, source_aliases
from transforms.bundle.state import MERGE_VERSION, state_of, write_state
from transforms.bundle.validity import ValidatedEvents
from transforms.documents.bundle import Bundle, Links, MirrorHint, UnsignedBundle
from transforms.documents.event import Event, SnapshotPaper, is_created
from transforms.documents.record import Alias, PublicKey, Record
from transforms.documents.state import State
from transforms.encoding.canonical import canonical_json_unchecked, compact_json_unchecked
from transforms.encoding.digest import Digest, sha256, to_hex
from transforms.encoding.timestamps import from_text, to_seconds
from transforms.paper.paper import Paper
from transforms.signing import Issuer, signature_block

BUNDLE_VERSION = "1.0"
SIGNED_MESSAGE = "bundle_sha256_bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueTimes:
    """The times of the steps of a first issue, all UTC; `IssueTimes.at` for one moment.

    `computed_at` becomes the receipt's `first_computed_at` and the events' `created_at`;
    `built_at` is also when the bundle was signed.
    """

    computed_at: datetime
    receipt_signed_at: datetime
    aliased_at: datetime
    shortened_at: datetime
    record_signed_at: datetime
    snapshot_signed_at: datetime
    built_at: datetime

    @classmethod
    def at(cls, moment: datetime) -> Self:
        """Return times that all equal `moment`."""
        return cls(
            computed_at=moment,
            receipt_signed_at=moment,
            aliased_at=moment,
            shortened_at=moment,
            record_signed_at=moment,
            snapshot_signed_at=moment,
            built_at=moment,
        )


class Draft(NamedTuple):
    """A paper with what its metadata alone decides: record, number, the paper of its snapshot.

    `record_json` and `snapshot_paper_json` are canonical; `snapshot_sha256`, of the latter, changes
    exactly when a new snapshot is due.
    """

    paper: Paper
    record: Record
    record_json: bytes
    pith_id: PithId
    snapshot_paper: SnapshotPaper
    snapshot_paper_json: bytes
    snapshot_sha256: Digest


class BundleParts(NamedTuple):
    """The parts of a bundle that differ by record; the others follow from them and the issuer."""

    record: Record
    pith_id: PithId
    aliases: Sequence[Alias]
    events: Sequence[Event]
    keys: Sequence[PublicKey]


def draft(paper: Paper) -> Draft:
    """Return all of `paper` that needs neither a key nor a time."""
    record = canonical_record(paper)
    record_json = canonical_json_unchecked(record)
    pith_id = identify_json(record_json, record["metadata"]["submitted_at"][:4])
    in_snapshot = snapshot_paper(paper)
    as_json = canonical_json_unchecked(in_snapshot)
    return Draft(paper, record, record_json, pith_id, in_snapshot, as_json, sha256(as_json))


def build_bundle(paper: Paper, *, issuer: Issuer, times: IssueTimes) -> Bundle:
    """Return the signed bundle of `paper`: record, number, receipt, two events and their state.

    The same arguments give the same bundle; `bundle_bytes` writes it.
    """
    return issue(draft(paper), issuer=issuer, times=times)


def issue(drafted: Draft, *, issuer: Issuer, times: IssueTimes) -> Bundle:
    """Return the signed bundle of a draft whose number was never issued before."""
    record, pith_id = drafted.record, drafted.pith_id
    receipt = build_receipt(
        pith_id.digest,
        issuer=issuer,
        first_computed_at=times.computed_at,
        last_reissued_at=times.computed_at,
        signed_at=times.receipt_signed_at,
    )
    issuance = Issuance(record, pith_id, issuer, times.computed_at)
    events: list[Event] = [
        record_created(issuance, receipt, signed_at=times.record_signed_at),
        graph_snapshot(issuance, drafted.snapshot_paper, signed_at=times.snapshot_signed_at),
    ]
    aliases = source_aliases(
        record, pith_id, aliased_at=times.aliased_at, shortened_at=times.shortened_at
    )
    # The two events were made here, so they are valid: no signature is verified again.
    state = state_of(ValidatedEvents(events), number=pith_id.number, source_aliases=aliases)
    parts = BundleParts(record, pith_id, aliases, events, [issuer.key_document])
    return _signed(parts, state, issuer=issuer, built_at=times.built_at)


def assemble(parts: BundleParts, *, issuer: Issuer, moment: datetime) -> Bundle:
    """Return the bundle of its parts and of the state of its events, which are valid ones.

    It is signed at `moment` or at the latest time in it, if later. The events were verified where
    they came from: a signature is the most of what one costs.
    """
    once = {event["event_id"]: event for event in parts.events}
    validated = ValidatedEvents([*once.values()])
    state = state_of(validated, number=parts.pith_id.number, source_aliases=parts.aliases)
    built_at = max(moment, latest_time(parts.events, parts.aliases))
    parts = parts._replace(keys=_listed(parts.keys, issuer))
    return _signed(parts, state, issuer=issuer, built_at=built_at)


def bundle_bytes(bundle: Bundle) -> bytes:
    """Return the exact bytes of a bundle file: compact JSON, no newline at the end."""
    return compact_json_unchecked(
        {**bundle, "state": orjson.Fragment(write_state(bundle["state"]))}
    )


def bundle_digest(bundle: Mapping[str, object]) -> Digest:
    """Return the digest that the bundle's signature signs: of all of it but that signature."""
    return sha256(signed_bytes(bundle))


def signed_bytes(bundle: Mapping[str, object]) -> bytes:
    """Return the canonical JSON that `bundle_digest` hashes."""
    return canonical_json_unchecked({k: v for k, v in bundle.items() if k != "bundle_signature"})


def links(base_url: str, suffix: str) -> Links:
    """Return the addresses at which a record is published, keys as published."""
    resolver = f"{base_url}/pith/{suffix}"
    return {
        "resolver": resolver,
        "bundle": f"{resolver}/bundle.json",
        "state": f"{resolver}/state.json",
        "well_known_bundle": f"{base_url}/.well-known/pith/{suffix}/bundle.json",
    }


def mirror_hint(name: str, base_url: str, urls: Links) -> MirrorHint:
    """Return the entry of `mirror_hints` for the registry itself, whose `links` are `urls`."""
    return {
        "mirror_type": "https",
        "name": name,
        "base_url": base_url,
        "bundle_url": urls["bundle"],
        "state_url": urls["state"],
        "well_known_bundle_url": urls["well_known_bundle"],
        "status": "primary",
    }


def latest_time(events: Sequence[Event], aliases: Sequence[Alias]) -> datetime:
    """Return the latest time in the parts of a valid bundle; its signature may not be earlier."""
    times = {alias["created_at"] for alias in aliases}
    for event in events:
        times |= {event["created_at"], event["signature"]["signed_at"]}
        if is_created(event):
            times.add(event["payload"]["receipt"]["signed_at"])
    return max(map(from_text, times))


def _listed(keys: Iterable[PublicKey], issuer: Issuer) -> list[PublicKey]:
    """Return each key once, the one that signs the bundle first, in an order of their own."""
    own = issuer.key_document
    by_name = {(key["key_id"], key["fingerprint_sha256_hex"]): key for key in keys}
    by_name.pop((own["key_id"], own["fingerprint_sha256_hex"]), None)
    return [own, *(by_name[name] for name in sorted(by_name))]


def _signed(parts: BundleParts, state: State, *, issuer: Issuer, built_at: datetime) -> Bundle:
    pith_id, source, identity = parts.pith_id, parts.record["source"], issuer.identity
    urls = links(identity.base_url, pith_id.suffix)
    bundle: UnsignedBundle = {
        "bundle_type": "pith_open_graph_bundle",
        "bundle_version": BUNDLE_VERSION,
        "pith_number": pith_id.number,
        "short_pith_number": pith_id.short_number,
        "canonical_record": parts.record,
        "canonical_sha256": to_hex(pith_id.digest),
        "source": {"kind": source["kind"], "id": source["id"], "version": source["version"]},
        "source_aliases": parts.aliases,
        "events": parts.events,
        "timestamp_proofs": [],
        "mirror_hints": [mirror_hint(identity.resolver_name, identity.base_url, urls)],
        "public_keys": parts.keys,
        "merge_version": MERGE_VERSION,
        "built_at": to_seconds(built_at),
        "links": urls,
        "state": state,
    }
    digest = bundle_digest(bundle)
    signature = signature_block(digest, SIGNED_MESSAGE, issuer=issuer, signed_at=built_at)
    return {**bundle, "bundle_signature": {**signature, "bundle_sha256": to_hex(digest)}}
