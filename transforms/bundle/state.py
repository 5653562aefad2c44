"""Events to state: a join over the set of a record's events (spec, section 5).

Whatever the order and the repetition in which events arrive, one set of them gives one state.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import cast

import orjson

from transforms.bundle.validity import (
    ValidatedEvents,
    invalid_entry,
    listed_keys,
    validate_events,
)
from transforms.documents.bundle import Document
from transforms.documents.event import Event, is_created
from transforms.documents.state import (
    Current,
    Equivocation,
    EventView,
    InvalidEvent,
    State,
    UnhashedState,
)
from transforms.encoding.canonical import (
    CanonicalError,
    canonical_json,
    canonical_json_unchecked,
    compact_json_unchecked,
    refuse_ambiguous,
)
from transforms.encoding.digest import sha256, to_hex
from transforms.encoding.timestamps import from_text

MERGE_VERSION = "pith-open-graph-merge-v1"
LISTS = {
    "graph_snapshot": "graph_snapshots",
    "author_attestation": "author_attestations",
    "timestamp_anchor": "timestamp_anchors",
    "storage_attestation": "storage_attestations",
    "citation_signature": "citation_signatures",
    "replication_record": "replication_records",
    "correction": "corrections",
    "mirror_hint": "mirror_hints",
}
"""Event type to the list of `state.current` that has it, in the published order."""

_LIST_NAMES = frozenset(LISTS.values())
_RANK = {"record_created": 0, "graph_snapshot": 1}
_DEPTH_IN_STATE = 4
"""By so much deeper an event's payload lies in a bundle's state than in the event."""


def merge(
    events: Iterable[object],
    *,
    number: str,
    public_keys: Sequence[object],
    source_aliases: Sequence[object],
) -> State:
    """Return the state of record `number`, from any events that claim to be its.

    `public_keys` is the bundle's list: an event is valid when it recomputes, is about `number`
    and is signed by one of them. An invalid event is listed with its reason and changes nothing,
    whatever it is. Raises `CanonicalError` only for a number or aliases without canonical JSON.
    """
    canonical_json([number, *source_aliases])
    canonical: list[object] = []
    unwritable: dict[tuple[str | None, str], InvalidEvent] = {}
    for event in events:
        try:
            # Nothing to hash if not; and the state that shows it must be writable in a bundle.
            refuse_ambiguous(event, depth=_DEPTH_IN_STATE)
            canonical_json_unchecked(event)
            canonical.append(event)
        except CanonicalError as error:
            entry = invalid_entry(event, f"not canonical JSON: {error}")
            unwritable[entry["event_id"], entry["reason"]] = entry
    validated = validate_events(canonical, number=number, keys=listed_keys(public_keys))
    validated.invalid.extend(unwritable.values())
    state = state_of(validated, number=number, source_aliases=source_aliases)
    in_published_order: State = orjson.loads(write_state(state))
    return in_published_order


def state_of(validated: ValidatedEvents, *, number: str, source_aliases: Sequence[object]) -> State:
    """Return the state of record `number`, from events and aliases that have canonical JSON.

    Nested objects' keys stand as in the events; `write_state` sorts them.
    """
    state, hashed = unhashed_state(validated, number=number, source_aliases=source_aliases)
    return {**state, "state_sha256": to_hex(sha256(hashed))}


def unhashed_state(
    validated: ValidatedEvents, *, number: str, source_aliases: Sequence[object]
) -> tuple[UnhashedState, bytes]:
    """Return what `state_of` does but `state_sha256`, and its canonical JSON, which that hashes."""
    ordered = in_order(validated)
    refused = sorted(
        validated.invalid, key=lambda entry: (entry["event_id"] or "", entry["reason"])
    )
    equivocations = _equivocations(ordered)
    equivocating = {i for group in equivocations for i in group["event_ids"]}
    state: UnhashedState = {
        "state_type": "pith_open_graph_state",
        "state_version": "1.0",
        "pith_number": number,
        "merge_version": MERGE_VERSION,
        "event_count": len(ordered) + len(refused),
        "valid_event_count": len(ordered),
        "invalid_event_count": len(refused),
        "equivocation_count": len(equivocations),
        "current": _current(_active(ordered, equivocating), source_aliases),
        "equivocations": equivocations,
        "invalid_events": refused,
        "applied_event_ids": [event["event_id"] for event in ordered],
    }
    return state, canonical_json_unchecked(state)


def _current(active: Sequence[Event], source_aliases: Sequence[object]) -> Current:
    created = [event for event in active if is_created(event)]
    newest = created[-1] if created else None
    current = {
        "canonical_record": _payload_record(newest),
        "source_aliases": source_aliases,
        **{
            name: [_view(event) for event in active if event["event_type"] == event_type]
            for event_type, name in LISTS.items()
        },
        "record_created": _view(newest) if newest else None,
    }
    return cast("Current", current)


def hashed_bytes(state: Mapping[str, object]) -> bytes:
    """Return the canonical JSON that `state_sha256` hashes."""
    hashed = dict(state)
    hashed.pop("state_sha256", None)
    return canonical_json_unchecked(hashed)


def write_state(state: State) -> bytes:
    """Return `state` as a bundle file has it: the keys of nested objects sorted (spec, section 6).

    The state's own keys, those of `current` and those of an event in it stay in their order.
    """
    current: Document = {
        name: [_written_view(view) for view in value] if name in _LIST_NAMES else _written(value)
        for name, value in cast("Document", state["current"]).items()
    }
    created = state["current"]["record_created"]
    current["record_created"] = _written_view(created) if created else None
    return compact_json_unchecked({**state, "current": current})


def _written_view(view: Mapping[str, object]) -> dict[str, object]:
    return {name: _written(value) for name, value in view.items()}


def _written(value: object) -> object:
    """Return what writes `value` with sorted keys within an object whose keys are not sorted."""
    return (
        value
        if value is None or type(value) is str
        else orjson.Fragment(canonical_json_unchecked(value))
    )


def in_order(validated: ValidatedEvents) -> list[Event]:
    """Return the valid events in the order in which they apply (spec, section 5)."""
    return sorted(validated.valid, key=_order)


def _order(event: Event) -> tuple[object, int, str]:
    return from_text(event["created_at"]), _RANK.get(event["event_type"], 2), event["event_id"]


def _equivocations(ordered: Sequence[Event]) -> list[Equivocation]:
    """Return the events of one signer, type, target and predecessor that do not replace each other.

    Within a group, supersession holds one way at most (ids are hashes), so an event contradicts
    another one exactly when it has fewer such relations than there are others.
    """
    groups: dict[tuple[str, str, str, str | None], dict[str, Event]] = defaultdict(dict)
    for event in ordered:
        groups[*_line(event), event["prev_event"]][event["event_id"]] = event
    found: list[Equivocation] = []
    for (signer_id, event_type, target, prev_event), group in groups.items():
        if len(group) == 1:
            continue
        related = dict.fromkeys(group, 0)
        for event_id, event in group.items():
            for other in set(event["supersedes"]) & group.keys():
                related[event_id] += 1
                related[other] += 1
        equivocating = sorted(i for i in group if related[i] < len(group) - 1)
        if equivocating:
            found.append(
                {
                    "event_ids": equivocating,
                    "event_type": event_type,
                    "prev_event": prev_event,
                    "signer_id": signer_id,
                    "target": target,
                }
            )
    return sorted(found, key=lambda entry: entry["event_ids"])


def _active(ordered: Sequence[Event], equivocating: set[str]) -> list[Event]:
    """Return the events that nothing replaced; an equivocating one is not active nor replaces.

    An event replaces only events of its own signer, type and target. A signer is a name that the
    event claims; which keys may speak for which name is not in the bundle, so whoever trusts
    several listed keys trusts each of them with all the names.
    """
    consistent = [event for event in ordered if event["event_id"] not in equivocating]
    replaced = {(_line(event), old) for event in consistent for old in event["supersedes"]}
    return [event for event in consistent if (_line(event), event["event_id"]) not in replaced]


def _line(event: Event) -> tuple[str, str, str]:
    return event["signer"]["signer_id"], event["event_type"], event["target"]


def _view(event: Event) -> EventView:
    return {
        "event_id": event["event_id"],
        "target": event["target"],
        "created_at": event["created_at"],
        "signer": event["signer"],
        "payload": event.get("payload"),
    }


def _payload_record(created: Event | None) -> object:
    payload = created.get("payload") if created else None
    return payload.get("canonical_record") if isinstance(payload, dict) else None
