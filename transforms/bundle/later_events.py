"""Bundles of records that had one: with a later snapshot or receipt, or put together again."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from transforms.bundle.build import BundleParts, Draft, assemble, latest_time
from transforms.bundle.events import Issuance, graph_snapshot, record_created
from transforms.bundle.receipt import build_receipt
from transforms.bundle.record import identify, source_aliases
from transforms.bundle.state import in_order
from transforms.bundle.validity import listed_keys, validate_events
from transforms.documents.bundle import Bundle, Document
from transforms.documents.record import Record
from transforms.documents.state import CreatedView
from transforms.encoding.timestamps import from_text
from transforms.signing import Issuer


def append_snapshot(bundle: Bundle, drafted: Draft, *, issuer: Issuer, moment: datetime) -> Bundle:
    """Return a valid bundle with one more snapshot, for a paper that is shown otherwise now.

    The new event supersedes the newest snapshot (spec, section 4, later events). The record, its
    aliases and what was signed before stay as they are; state and bundle signature are made anew.
    A `moment` before what the bundle holds, of a clock that is behind, becomes the latest of that.
    """
    record, pith_id, aliases = drafted.record, drafted.pith_id, bundle["source_aliases"]
    moment = max(moment, latest_time(bundle["events"], aliases))
    event = graph_snapshot(
        Issuance(record, pith_id, issuer, moment),
        drafted.snapshot_paper,
        signed_at=moment,
        replaces=bundle["state"]["current"]["graph_snapshots"][-1]["event_id"],
    )
    events = [*bundle["events"], event]
    parts = BundleParts(record, pith_id, aliases, events, bundle["public_keys"])
    return assemble(parts, issuer=issuer, moment=moment)


def reissue(bundle: Bundle, *, issuer: Issuer, moment: datetime) -> Bundle:
    """Return a valid bundle with its receipt issued again (spec, section 4, later events).

    The new `record_created` supersedes the newest one and keeps its `first_computed_at`. What was
    signed before, and the key that signed it, stay: the old bundle's events verify in the new one.
    A `moment` of a clock that is behind is treated as in `append_snapshot`. Raises `ValueError`
    where no receipt is active.
    """
    record, pith_id = bundle["canonical_record"], identify(bundle["canonical_record"])
    aliases, keys = bundle["source_aliases"], bundle["public_keys"]
    moment = max(moment, latest_time(bundle["events"], aliases))
    replaced = active_creation(bundle)
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
    parts = BundleParts(record, pith_id, aliases, [*bundle["events"], event], keys)
    return assemble(parts, issuer=issuer, moment=moment)


def active_creation(bundle: Bundle) -> CreatedView:
    """Return the newest `record_created` of a valid bundle, with the receipt that counts.

    Raises `ValueError` where there is none, since several contradict each other.
    """
    created = bundle["state"]["current"]["record_created"]
    if created is None:
        raise ValueError("no receipt is active")
    return created


def restore(
    events: Iterable[object],
    copies: Sequence[Bundle],
    *,
    issuer: Issuer,
    moment: datetime,
) -> Bundle:
    """Return a bundle of the valid ones of `events`, for a record whose newest bundle was lost.

    `copies` are older bundles of it, if there are any: their aliases and keys are taken. Raises
    `ValueError` unless a record and a snapshot of it are among the events.
    """
    keys = [*(key for copy in copies for key in copy["public_keys"]), issuer.key_document]
    claimed: list[Document] = [event for event in events if isinstance(event, dict)]
    created = [event for event in claimed if event.get("event_type") == "record_created"]
    if not created:
        raise ValueError("no event creates the record")
    record: Record = created[0]["payload"]["canonical_record"]
    pith_id = identify(record)
    validated = validate_events(claimed, number=pith_id.number, keys=listed_keys(keys))
    ordered = in_order(validated)
    if {"record_created", "graph_snapshot"} - {event["event_type"] for event in ordered}:
        raise ValueError("the events do not create the record and show it")
    first = from_text(created[0]["payload"]["receipt"]["first_computed_at"])
    if copies:
        aliases = copies[0]["source_aliases"]
    else:
        aliases = source_aliases(record, pith_id, aliased_at=first, shortened_at=first)
    parts = BundleParts(record, pith_id, aliases, ordered, keys)
    return assemble(parts, issuer=issuer, moment=moment)
