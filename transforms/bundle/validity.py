"""Valid events: those that recompute, are about the record and signed by a listed key (spec, 5)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import cast

from transforms.bundle.events import SIGNED_MESSAGE, content_digest
from transforms.documents.bundle import Document
from transforms.documents.event import Event
from transforms.documents.state import InvalidEvent
from transforms.encoding.canonical import canonical_json_unchecked
from transforms.encoding.digest import Digest, to_hex
from transforms.encoding.timestamps import from_text
from transforms.signing import (
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    decode_base64,
    fingerprint,
    is_signed_by,
)

Keys = Mapping[tuple[str, str], bytes]
"""Key id and fingerprint to the 32 raw bytes of the key."""

_TEXTS = ("event_id", "event_type", "target", "subject_pith_number", "created_at")


@dataclass(frozen=True, slots=True)
class ValidatedEvents:
    """The valid ones of some events, each once, and id and reason of each invalid one."""

    valid: list[Event]
    invalid: list[InvalidEvent] = field(default_factory=list)


def validate_events(events: Iterable[object], *, number: str, keys: Keys) -> ValidatedEvents:
    """Return which events are valid ones of record `number`; the same event counts once.

    All of them have canonical JSON; `merge` takes what may not.
    """
    valid: dict[str, Event] = {}
    invalid: dict[bytes, InvalidEvent] = {}
    for event in events:
        reason = why_invalid(event, number=number, keys=keys)
        if reason is None:
            found = cast("Event", event)
            valid[found["event_id"]] = found
        else:
            invalid[canonical_json_unchecked(event)] = invalid_entry(event, reason)
    return ValidatedEvents(list(valid.values()), list(invalid.values()))


def invalid_entry(event: object, reason: str) -> InvalidEvent:
    """Return the entry of `invalid_events`; the id is what the event claims, if that is a text."""
    claimed = event.get("event_id") if isinstance(event, dict) else None
    is_text = isinstance(claimed, str) and claimed.isascii()
    return {"event_id": claimed if is_text else None, "reason": reason}


def why_invalid(event: object, *, number: str, keys: Keys) -> str | None:
    """Return why `event` is not a valid event of record `number`, or None if it is one."""
    if not isinstance(event, dict) or not _is_well_formed(event):
        return "malformed"
    digest = content_digest(event)
    if event.get("content_sha256") != to_hex(digest):
        return "content_sha256 does not recompute"
    if event["event_id"] != f"sha256:{to_hex(digest)}":
        return "event_id does not recompute"
    if event["subject_pith_number"] != number:
        return "about another record"
    return why_not_signed(event.get("signature"), digest, SIGNED_MESSAGE, keys)


def why_not_signed(signature: object, digest: Digest, message_name: str, keys: Keys) -> str | None:
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


def _is_well_formed(event: Document) -> bool:
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
