"""Events to state: a join over the set of a record's events (spec, section 5).

Whatever the order and the repetition in which events arrive, one set of them gives one state.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from transforms.bundle.events import SIGNED_MESSAGE, content_digest
from transforms.encoding.canonical import (
    CanonicalError,
    canonical_json,
    refuse_ambiguous,
    sha256,
    write_canonical,
    write_compact,
)
from transforms.encoding.timestamps import from_text
from transforms.signing import (
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    decode_base64,
    fingerprint,
    is_signed_by,
)

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
"""Event type to the list of `state.current` that shows it, in the published order."""

_SHOWN = frozenset(LISTS.values())
_RANK = {"record_created": 0, "graph_snapshot": 1}
_DEPTH_IN_STATE = 4
"""How much deeper an event's payload lies in a bundle's state than in the event."""
_TEXTS = ("event_id", "event_type", "target", "subject_pith_number", "created_at")

Event = dict[str, Any]
Keys = Mapping[tuple[str, str], bytes]


def merge(
    events: Iterable[object],
    *,
    number: str,
    public_keys: Sequence[object],
    source_aliases: Sequence[object],
) -> dict[str, Any]:
    """Return the state of record `number`, from any events that claim to be its.

    `public_keys` is the bundle's list: an event is valid when it recomputes, is about `number`
    and is signed by one of them. An invalid event is listed with its reason and changes nothing,
    whatever it is. Raises `CanonicalError` only for a number or aliases without canonical JSON.
    """
    canonical_json([number, *source_aliases])
    canonical, unwritable = [], {}
    for event in events:
        try:
            # Nothing to hash if not; and the state that shows it must be writable in a bundle.
            refuse_ambiguous(event, depth=_DEPTH_IN_STATE)
            write_canonical(event)
            canonical.append(event)
        except CanonicalError as error:
            entry = _invalid(event, f"not canonical JSON: {error}")
            unwritable[entry["event_id"], entry["reason"]] = entry
    judged = judge(canonical, number=number, keys=listed_keys(public_keys))
    judged.invalid.extend(unwritable.values())
    state = state_of(judged, number=number, source_aliases=source_aliases)
    in_published_order: dict[str, Any] = orjson.loads(write_state(state))
    return in_published_order


@dataclass(frozen=True, slots=True)
class Judged:
    """Events told apart: the valid ones, each once, and id and reason of each invalid one."""

    valid: list[Event]
    invalid: list[dict[str, Any]] = field(default_factory=list)


def judge(events: Iterable[object], *, number: str, keys: Keys) -> Judged:
    """Tell the valid events of record `number` from the others; the same event counts once.

    All of them have canonical JSON; `merge` takes what may not.
    """
    valid: dict[str, Event] = {}
    invalid: dict[bytes, dict[str, Any]] = {}
    for event in events:
        reason = why_invalid(event, number=number, keys=keys)
        if reason is None and isinstance(event, dict):
            valid[event["event_id"]] = event
        else:
            invalid[write_canonical(event)] = _invalid(event, reason)
    return Judged(list(valid.values()), list(invalid.values()))


def _invalid(event: object, reason: str | None) -> dict[str, Any]:
    """Return the entry of `invalid_events`; the id is what the event claims, if that is a text."""
    claimed = event.get("event_id") if isinstance(event, dict) else None
    is_text = isinstance(claimed, str) and claimed.isascii()
    return {"event_id": claimed if is_text else None, "reason": reason}


def state_of(judged: Judged, *, number: str, source_aliases: Sequence[object]) -> dict[str, Any]:
    """Return the state of record `number` from judged events; all arguments have canonical JSON.

    Nested objects' keys stand as in the events; `write_state` sorts them.
    """
    state, hashed = unhashed_state(judged, number=number, source_aliases=source_aliases)
    return {**state, "state_sha256": sha256(hashed).hex()}


def unhashed_state(
    judged: Judged, *, number: str, source_aliases: Sequence[object]
) -> tuple[dict[str, Any], bytes]:
    """Return what `state_of` does but `state_sha256`, and its canonical JSON, which that hashes."""
    ordered = in_order(judged)
    refused = sorted(judged.invalid, key=lambda entry: (entry["event_id"] or "", entry["reason"]))
    equivocations = _equivocations(ordered)
    standing = _standing(ordered, {i for group in equivocations for i in group["event_ids"]})
    created = [event for event in standing if event["event_type"] == "record_created"]
    newest = created[-1] if created else None
    state = {
        "state_type": "pith_open_graph_state",
        "state_version": "1.0",
        "pith_number": number,
        "merge_version": MERGE_VERSION,
        "event_count": len(ordered) + len(refused),
        "valid_event_count": len(ordered),
        "invalid_event_count": len(refused),
        "equivocation_count": len(equivocations),
        "current": {
            "canonical_record": _payload_record(newest),
            "source_aliases": source_aliases,
            **{
                name: [_view(event) for event in standing if event["event_type"] == event_type]
                for event_type, name in LISTS.items()
            },
            "record_created": _view(newest) if newest else None,
        },
        "equivocations": equivocations,
        "invalid_events": refused,
        "applied_event_ids": [event["event_id"] for event in ordered],
    }
    return state, write_canonical(state)


def hashed_bytes(state: dict[str, Any]) -> bytes:
    """Return the canonical JSON that `state_sha256` hashes."""
    return write_canonical({name: state[name] for name in state if name != "state_sha256"})


def write_state(state: dict[str, Any]) -> bytes:
    """Return `state` as a bundle file has it: the keys of nested objects sorted (spec, section 6).

    The state's own keys, those of `current` and those of an event shown stay in their order.
    """
    current = {
        name: [_written_view(view) for view in value] if name in _SHOWN else _written(value)
        for name, value in state["current"].items()
    }
    created = state["current"]["record_created"]
    current["record_created"] = _written_view(created) if created else None
    return write_compact({**state, "current": current})


def _written_view(view: dict[str, Any]) -> dict[str, Any]:
    return {name: _written(value) for name, value in view.items()}


def _written(value: object) -> object:
    """Return what writes `value` with sorted keys within an object whose keys are not sorted."""
    return value if value is None or type(value) is str else orjson.Fragment(write_canonical(value))


def in_order(judged: Judged) -> list[Event]:
    """Return the valid events in the order in which they apply (spec, section 5)."""
    return sorted(judged.valid, key=_order)


def why_invalid(event: object, *, number: str, keys: Keys) -> str | None:
    """Return why `event` is not a valid event of record `number`, or None if it is one."""
    if not isinstance(event, dict) or not _is_well_formed(event):
        return "malformed"
    digest = content_digest(event)
    if event.get("content_sha256") != digest.hex():
        return "content_sha256 does not recompute"
    if event["event_id"] != f"sha256:{digest.hex()}":
        return "event_id does not recompute"
    if event["subject_pith_number"] != number:
        return "about another record"
    return why_not_signed(event.get("signature"), digest, SIGNED_MESSAGE, keys)


def why_not_signed(signature: object, digest: bytes, message_name: str, keys: Keys) -> str | None:
    """Return why a signature object does not sign `digest` under one of `keys`, or None."""
    if not isinstance(signature, dict):
        return "no signature"
    stated = (signature.get("algorithm"), signature.get("signature_status"))
    if stated != ("ed25519", "signed_v1") or signature.get("signed_message") != message_name:
        return "not a signature of this kind"
    key_id, named = signature.get("key_id"), signature.get("public_key_fingerprint")
    key = keys.get((key_id, named)) if isinstance(key_id, str) and isinstance(named, str) else None
    if key is None:
        return "signed by a key that is not listed"
    try:
        signature_bytes = decode_base64(signature.get("signature_b64"), SIGNATURE_BYTES)
    except ValueError:
        return "signature is not 64 bytes of base64"
    if not is_signed_by(key, digest, signature_bytes):
        return "signature does not verify"
    return None


def listed_keys(public_keys: Iterable[object]) -> Keys:
    """Return the usable keys of a bundle's `public_keys`: (key id, fingerprint) to 32 raw bytes.

    An entry that is not an Ed25519 key, or names another fingerprint than its own, is left out.
    """
    keys = {}
    for entry in public_keys:
        if not isinstance(entry, dict) or entry.get("algorithm") != "ed25519":
            continue
        try:
            key = decode_base64(entry.get("public_key_b64"), PUBLIC_KEY_BYTES)
        except ValueError:
            continue
        key_id, print_of_key = entry.get("key_id"), fingerprint(key)
        if isinstance(key_id, str) and entry.get("fingerprint_sha256_hex") == print_of_key:
            keys[key_id, print_of_key] = key
    return keys


def _order(event: Event) -> tuple[object, int, str]:
    return from_text(event["created_at"]), _RANK.get(event["event_type"], 2), event["event_id"]


def _equivocations(ordered: Sequence[Event]) -> list[dict[str, Any]]:
    """Find the events of one signer, type, target and predecessor that do not replace each other.

    Within a group, supersession holds one way at most (ids are hashes), so an event stands
    against another one exactly when it has fewer such relations than there are others.
    """
    groups: dict[tuple[str, str, str, str | None], dict[str, Event]] = defaultdict(dict)
    for event in ordered:
        groups[*_line(event), event["prev_event"]][event["event_id"]] = event
    found = []
    for (signer_id, event_type, target, prev_event), group in groups.items():
        if len(group) == 1:
            continue
        related = dict.fromkeys(group, 0)
        for event_id, event in group.items():
            for other in set(event["supersedes"]) & group.keys():
                related[event_id] += 1
                related[other] += 1
        at_odds = sorted(event_id for event_id in group if related[event_id] < len(group) - 1)
        if at_odds:
            found.append(
                {
                    "event_ids": at_odds,
                    "event_type": event_type,
                    "prev_event": prev_event,
                    "signer_id": signer_id,
                    "target": target,
                }
            )
    return sorted(found, key=lambda entry: entry["event_ids"])


def _standing(ordered: Sequence[Event], at_odds: set[str]) -> list[Event]:
    """Return the events that nothing replaced; one that equivocates neither stands nor replaces.

    An event replaces only events of its own signer, type and target. A signer is a name that the
    event claims; which keys may speak for which name is not in the bundle, so whoever trusts
    several listed keys trusts each of them with all the names.
    """
    heard = [event for event in ordered if event["event_id"] not in at_odds]
    replaced = {(_line(event), old) for event in heard for old in event["supersedes"]}
    return [event for event in heard if (_line(event), event["event_id"]) not in replaced]


def _line(event: Event) -> tuple[str, str, str]:
    return event["signer"]["signer_id"], event["event_type"], event["target"]


def _view(event: Event) -> dict[str, Any]:
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


def _is_well_formed(event: Event) -> bool:
    signer, supersedes = event.get("signer"), event.get("supersedes")
    prev_event = event.get("prev_event")
    if not (
        {type(event.get(name)) for name in _TEXTS} == {str}
        and isinstance(signer, dict)
        and isinstance(signer.get("signer_id"), str)
        and isinstance(supersedes, list)
        and all(isinstance(old, str) for old in supersedes)
        and (prev_event is None or isinstance(prev_event, str))
    ):
        return False
    try:
        from_text(event["created_at"])
    except ValueError:
        return False
    return True
