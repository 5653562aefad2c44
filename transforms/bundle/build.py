"""The signed bundle of one record: everything known of it, in one file (spec, section 6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, Self

import orjson

from transforms.bundle.events import Issuance, graph_snapshot, record_created, shown_paper
from transforms.bundle.receipt import build_receipt
from transforms.bundle.record import (
    PithId,
    canonical_record,
    identify,
    identify_json,
    source_aliases,
)
from transforms.bundle.state import (
    MERGE_VERSION,
    Judged,
    in_order,
    judge,
    listed_keys,
    state_of,
    write_state,
)
from transforms.encoding.canonical import sha256, write_canonical, write_compact
from transforms.encoding.timestamps import from_text, to_seconds
from transforms.paper.paper import Paper
from transforms.signing import Issuer, signature_block

BUNDLE_VERSION = "1.0"
SIGNED_MESSAGE = "bundle_sha256_bytes"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueTimes:
    """When each step of a first issue happened, all UTC; `IssueTimes.at` for one moment.

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
    """A paper with what its metadata alone decides: record, number, what a snapshot shows.

    `record_json` and `shown_json` are canonical; `shown_sha256` is 32 bytes that change exactly
    when a new snapshot is due.
    """

    paper: Paper
    record: dict[str, Any]
    record_json: bytes
    pith_id: PithId
    shown: dict[str, Any]
    shown_json: bytes
    shown_sha256: bytes


def draft(paper: Paper) -> Draft:
    """Compute all of `paper` that needs neither a key nor a time."""
    record = canonical_record(paper)
    record_json = write_canonical(record)
    pith_id = identify_json(record_json, record["metadata"]["submitted_at"][:4])
    shown = shown_paper(paper)
    shown_json = write_canonical(shown)
    return Draft(paper, record, record_json, pith_id, shown, shown_json, sha256(shown_json))


def build_bundle(paper: Paper, *, issuer: Issuer, times: IssueTimes) -> dict[str, Any]:
    """Return the signed bundle of `paper`: record, number, receipt, two events and their state.

    The same arguments give the same bundle; `bundle_bytes` writes it.
    """
    return issue(draft(paper), issuer=issuer, times=times)


def issue(drafted: Draft, *, issuer: Issuer, times: IssueTimes) -> dict[str, Any]:
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
    events = [
        record_created(issuance, receipt, signed_at=times.record_signed_at),
        graph_snapshot(issuance, drafted.shown, signed_at=times.snapshot_signed_at),
    ]
    aliases = source_aliases(
        record, pith_id, aliased_at=times.aliased_at, shortened_at=times.shortened_at
    )
    # The two events were made here, so they are valid: no signature is verified again.
    state = state_of(Judged(events), number=pith_id.number, source_aliases=aliases)
    keys = [issuer.key_document]
    return _signed(
        record, pith_id, aliases, events, keys, state, issuer=issuer, built_at=times.built_at
    )


def append_snapshot(
    bundle: dict[str, Any], drafted: Draft, *, issuer: Issuer, moment: datetime
) -> dict[str, Any]:
    """Return a valid bundle with one more snapshot, for a paper that shows something else now.

    The new event supersedes the newest snapshot (spec, section 4, later events). The record, its
    aliases and what was signed before stay as they are; state and bundle signature are made anew.
    A `moment` before what the bundle holds, of a clock that is behind, becomes the latest of that.
    """
    record, pith_id, aliases = drafted.record, drafted.pith_id, bundle["source_aliases"]
    moment = max(moment, latest_time(bundle["events"], aliases))
    event = graph_snapshot(
        Issuance(record, pith_id, issuer, moment),
        drafted.shown,
        signed_at=moment,
        replaces=bundle["state"]["current"]["graph_snapshots"][-1]["event_id"],
    )
    events = [*bundle["events"], event]
    return assemble(record, pith_id, aliases, events, bundle["public_keys"], issuer, moment)


def reissue(bundle: dict[str, Any], *, issuer: Issuer, moment: datetime) -> dict[str, Any]:
    """Return a valid bundle with its receipt issued again (spec, section 4, later events).

    The new `record_created` supersedes the newest one and keeps its `first_computed_at`. What was
    signed before, and the key that signed it, stay: the old bundle's events verify in the new one.
    A `moment` of a clock that is behind is treated as in `append_snapshot`.
    """
    record, pith_id = bundle["canonical_record"], identify(bundle["canonical_record"])
    aliases, keys = bundle["source_aliases"], bundle["public_keys"]
    moment = max(moment, latest_time(bundle["events"], aliases))
    replaced = bundle["state"]["current"]["record_created"]
    receipt = build_receipt(
        pith_id.digest,
        issuer=issuer,
        first_computed_at=from_text(replaced["payload"]["receipt"]["first_computed_at"]),
        last_reissued_at=moment,
        signed_at=moment,
    )
    event = record_created(
        Issuance(record, pith_id, issuer, moment),
        receipt,
        signed_at=moment,
        replaces=replaced["event_id"],
    )
    return assemble(record, pith_id, aliases, [*bundle["events"], event], keys, issuer, moment)


def restore(
    events: Iterable[object],
    copies: Sequence[dict[str, Any]],
    *,
    issuer: Issuer,
    moment: datetime,
) -> dict[str, Any]:
    """Return a bundle of the valid ones of `events`, for a record whose newest bundle was lost.

    `copies` are older bundles of it, if there are any: their aliases and keys are taken. Raises
    `ValueError` unless a record and what it shows are among the events.
    """
    keys = [*(key for copy in copies for key in copy["public_keys"]), issuer.key_document]
    listed = listed_keys(keys)
    created = [e for e in events if isinstance(e, dict) and e.get("event_type") == "record_created"]
    if not created:
        raise ValueError("no event creates the record")
    record = created[0]["payload"]["canonical_record"]
    pith_id = identify(record)
    judged = in_order(judge(events, number=pith_id.number, keys=listed))
    if {"record_created", "graph_snapshot"} - {event["event_type"] for event in judged}:
        raise ValueError("the events do not create the record and show it")
    first = from_text(created[0]["payload"]["receipt"]["first_computed_at"])
    if copies:
        aliases = copies[0]["source_aliases"]
    else:
        aliases = source_aliases(record, pith_id, aliased_at=first, shortened_at=first)
    return assemble(record, pith_id, aliases, judged, keys, issuer, moment)


def bundle_bytes(bundle: dict[str, Any]) -> bytes:
    """Return the exact bytes of a bundle file: compact JSON, no newline at the end."""
    return write_compact({**bundle, "state": orjson.Fragment(write_state(bundle["state"]))})


def bundle_digest(bundle: dict[str, Any]) -> bytes:
    """Return the 32 bytes that the bundle's signature signs: all of it but that signature."""
    return sha256(signed_bytes(bundle))


def signed_bytes(bundle: dict[str, Any]) -> bytes:
    """Return the canonical JSON that `bundle_digest` hashes."""
    return write_canonical({k: v for k, v in bundle.items() if k != "bundle_signature"})


def links(base_url: str, suffix: str) -> dict[str, str]:
    """Return where a record is published: the bundle's `links`, keys as published."""
    resolver = f"{base_url}/pith/{suffix}"
    return {
        "resolver": resolver,
        "bundle": f"{resolver}/bundle.json",
        "state": f"{resolver}/state.json",
        "well_known_bundle": f"{base_url}/.well-known/pith/{suffix}/bundle.json",
    }


def mirror_hint(name: str, base_url: str, suffix: str) -> dict[str, str]:
    """Return the entry of `mirror_hints` for the registry itself."""
    urls = links(base_url, suffix)
    return {
        "mirror_type": "https",
        "name": name,
        "base_url": base_url,
        "bundle_url": urls["bundle"],
        "state_url": urls["state"],
        "well_known_bundle_url": urls["well_known_bundle"],
        "status": "primary",
    }


def assemble(
    record: dict[str, Any],
    pith_id: PithId,
    aliases: Sequence[dict[str, str]],
    events: Sequence[dict[str, Any]],
    keys: Sequence[dict[str, Any]],
    issuer: Issuer,
    moment: datetime,
) -> dict[str, Any]:
    """Sign the whole with the state of its valid events, at `moment` or at their latest, if later.

    The events were verified where they came from: a signature is the most of what one costs.
    """
    keys = _listed(keys, issuer)
    once = {event["event_id"]: event for event in events}
    state = state_of(Judged([*once.values()]), number=pith_id.number, source_aliases=aliases)
    built_at = max(moment, latest_time(events, aliases))
    return _signed(record, pith_id, aliases, events, keys, state, issuer=issuer, built_at=built_at)


def latest_time(events: Sequence[dict[str, Any]], aliases: Sequence[dict[str, str]]) -> datetime:
    """Return the latest time in the parts of a valid bundle; its signature may not be earlier."""
    times = {alias["created_at"] for alias in aliases}
    for event in events:
        times |= {event["created_at"], event["signature"]["signed_at"]}
        if event["event_type"] == "record_created":
            times.add(event["payload"]["receipt"]["signed_at"])
    return max(map(from_text, times))


def _listed(keys: Iterable[dict[str, Any]], issuer: Issuer) -> list[dict[str, Any]]:
    """Return each key once, the one that signs the bundle first, in an order of their own."""
    own = issuer.key_document
    by_name = {(key["key_id"], key["fingerprint_sha256_hex"]): key for key in keys}
    by_name.pop((own["key_id"], own["fingerprint_sha256_hex"]), None)
    return [own, *(by_name[name] for name in sorted(by_name))]


def _signed(
    record: dict[str, Any],
    pith_id: PithId,
    aliases: Sequence[dict[str, str]],
    events: Sequence[dict[str, Any]],
    keys: Sequence[dict[str, Any]],
    state: dict[str, Any],
    *,
    issuer: Issuer,
    built_at: datetime,
) -> dict[str, Any]:
    source, identity = record["source"], issuer.identity
    bundle = {
        "bundle_type": "pith_open_graph_bundle",
        "bundle_version": BUNDLE_VERSION,
        "pith_number": pith_id.number,
        "short_pith_number": pith_id.short_number,
        "canonical_record": record,
        "canonical_sha256": pith_id.digest.hex(),
        "source": {"kind": source["kind"], "id": source["id"], "version": source["version"]},
        "source_aliases": aliases,
        "events": events,
        "timestamp_proofs": [],
        "mirror_hints": [
            mirror_hint(identity.resolver_name, identity.base_url, pith_id.suffix),
        ],
        "public_keys": keys,
        "merge_version": MERGE_VERSION,
        "built_at": to_seconds(built_at),
        "links": links(identity.base_url, pith_id.suffix),
        "state": state,
    }
    digest = bundle_digest(bundle)
    signature = signature_block(digest, SIGNED_MESSAGE, issuer=issuer, signed_at=built_at)
    return {**bundle, "bundle_signature": {**signature, "bundle_sha256": digest.hex()}}
