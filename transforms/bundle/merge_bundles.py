"""Several copies of one record's bundle, merged into one that our own key can stand for.

An event's id does not cover its signature object, and nothing of an event covers the times of
aliases or what a bundle says of keys. Of these, a copy that one of our own keys signed is believed;
of other copies they are not read, but derived from what is covered (docs/format.md, section 8).
Each choice is the least or the sum of a set, so neither order, repetition nor grouping matter.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple, cast

from transforms.bundle.build import BundleParts, IssueTimes, assemble, draft, issue, latest_time
from transforms.bundle.events import SIGNED_MESSAGE
from transforms.bundle.record import alias_values, identify
from transforms.bundle.state import in_order
from transforms.bundle.validity import Keys, ValidatedEvents, listed_keys, why_invalid
from transforms.documents.bundle import Bundle
from transforms.documents.event import Event, is_created
from transforms.documents.record import Alias, PublicKey, Signature
from transforms.encoding.canonical import canonical_json_unchecked
from transforms.encoding.strict_json import JsonValue
from transforms.encoding.timestamps import from_text, to_micros, to_seconds
from transforms.paper.paper import Paper, Version
from transforms.signing import (
    SIGNATURE_BYTES,
    Issuer,
    decode_base64,
    fingerprint,
    key_facts,
    signature_object,
)

MAX_AHEAD = timedelta(days=1)
"""The newest event may be dated so much after our own clock: more is a wrong clock or a lie."""

KeyName = tuple[bytes, str]
"""A public key (32 bytes) and an id under which it signs."""


class CannotMergeError(ValueError):
    """The copies contradict each other, or are not of one record; the message says where."""


@dataclass(frozen=True, slots=True)
class MergedBundle:
    """The bundle of all copies, and a sentence on each thing that could not stay as it was."""

    bundle: Bundle
    notes: tuple[str, ...]


class _Copy(NamedTuple):
    bundle: Bundle
    keys: Keys
    is_own: bool


class _Signing(NamedTuple):
    """One valid signature of one event, as one copy has it."""

    event: Event
    key: bytes
    signature: bytes
    is_own: bool


def merge_bundles(
    bundles: Sequence[Bundle],
    *,
    issuer: Issuer,
    moment: datetime,
    own_keys: Collection[bytes] = (),
    trusted_keys: Collection[bytes] = (),
) -> MergedBundle:
    """Return one bundle, signed by `issuer`, with the events of copies of one record's bundle.

    Each copy is a valid bundle (`verify_bundle`). `own_keys` are raw public keys that signed for us
    beside the issuer's; where an event has several signatures, one by those or by `trusted_keys`
    is preferred. Raises `CannotMergeError`, and then there is nothing to sign.
    """
    own = {issuer.signer.public_key, *own_keys}
    copies = [_copy(bundle, own) for bundle in bundles]
    number, record = bundles[0]["pith_number"], bundles[0]["canonical_record"]
    if any(bundle["pith_number"] != number for bundle in bundles):
        raise CannotMergeError("the bundles are about different records")
    layout, pith_id = _layout(issuer), identify(record)
    events: list[Event] = []
    for signings in _signings(copies, number).values():
        chosen = _preferred(signings, own | set(trusted_keys))
        events.append(_laid_out(_signed_again(chosen, signings, issuer), layout["events"]))
        _refuse_future(events[-1], moment)
    derived = to_seconds(_first_computed(events))
    aliases, notes = _aliases(copies, alias_values(record, pith_id), derived)
    proofs = sum(len(bundle["timestamp_proofs"]) for bundle in bundles)
    if proofs:
        notes.append(f"left out {proofs} timestamp proofs, of no kind that is known here")
    keys = _key_documents(set(_used(events, copies)), copies, issuer)
    laid_out = _like(record, layout["canonical_record"])
    parts = BundleParts(laid_out, pith_id, aliases, in_order(ValidatedEvents(events)), keys)
    merged = assemble(parts, issuer=issuer, moment=moment)
    return MergedBundle(merged, tuple(notes))


def _copy(bundle: Bundle, own: Collection[bytes]) -> _Copy:
    keys, signature = listed_keys(bundle["public_keys"]), bundle["bundle_signature"]
    return _Copy(bundle, keys, _key_of(signature, keys) in own)


def _key_of(signature: Signature, keys: Keys) -> bytes:
    """Return the raw key that a verified signature object names."""
    return keys[signature["key_id"], signature["public_key_fingerprint"]]


def _signings(copies: Iterable[_Copy], number: str) -> dict[str, list[_Signing]]:
    """Return the valid signatures of each event, by its id."""
    found: dict[str, list[_Signing]] = defaultdict(list)
    for copy in copies:
        for event in copy.bundle["events"]:
            if why_invalid(event, number=number, keys=copy.keys) is None:
                signature = event["signature"]
                signed = decode_base64(signature["signature_b64"], SIGNATURE_BYTES)
                key = _key_of(signature, copy.keys)
                found[event["event_id"]].append(_Signing(event, key, signed, copy.is_own))
    return found


def _preferred(signings: Iterable[_Signing], trusted: Collection[bytes]) -> _Signing:
    return min(signings, key=lambda signing: (signing.key not in trusted, signing.signature))


def _refuse_future(event: Event, moment: datetime) -> None:
    """Raise for an event that would date the whole, since nothing in a bundle may be later."""
    if (latest := latest_time([event], [])) - moment > MAX_AHEAD:
        raise CannotMergeError(
            f"event {event['event_id']} holds the time {to_seconds(latest)}, more than a day after "
            "now; set the clock right, or leave that copy out"
        )


def _signed_again(signing: _Signing, signings: Iterable[_Signing], issuer: Issuer) -> Event:
    """Return an event with its signature object made anew: strangers' words in it are not kept.

    `signings` are all of that event. Own copies are believed in what they say of this signature.
    """
    event, key = signing.event, signing.key
    stated = [
        other.event["signature"]
        for other in signings
        if other.is_own and (other.key, other.signature) == (key, signing.signature)
    ]
    signature = signature_object(
        signing.signature,
        SIGNED_MESSAGE,
        key_id=_key_id(signing, (said["key_id"] for said in stated), issuer),
        fingerprint=fingerprint(key),
        signed_at=_stated(
            (said["signed_at"] for said in stated), to_micros(from_text(event["created_at"]))
        ),
    )
    return cast("Event", {**event, "signature": signature})


def _key_id(signing: _Signing, stated: Iterable[str], issuer: Issuer) -> str:
    """Return under which id an event's key signs it: what its id covers, if that says so."""
    covered = signing.event["signer"].get("key_id")
    if isinstance(covered, str):
        return covered
    if signing.key == issuer.signer.public_key:
        return issuer.identity.key_id
    return _stated(stated, f"key-{fingerprint(signing.key)[:8]}")


def _stated(values: Iterable[str], derived: str) -> str:
    """Return the least of what our own copies say; what an earlier merge derived says nothing."""
    return min(set(values) - {derived}, default=derived)


def _first_computed(events: Iterable[Event]) -> datetime:
    """Return the one `first_computed_at` of all receipts; fails naming them if there are two."""
    said: dict[str, str] = {}
    for event in sorted(events, key=lambda event: str(event["event_id"])):
        if is_created(event):
            computed_at = event["payload"]["receipt"]["first_computed_at"]
            said.setdefault(computed_at, f"{computed_at} by {event['signer']['signer_id']}")
    if len(said) > 1:
        raise CannotMergeError(
            f"the number was computed first at {' and at '.join(said[at] for at in sorted(said))}; "
            "a bundle has one such time, so keep both"
        )
    return from_text(next(iter(said)))


def _aliases(
    copies: Iterable[_Copy], due: Iterable[tuple[str, str]], derived: str
) -> tuple[list[Alias], list[str]]:
    """Return the aliases with the earliest times that our own copies say, and what they dispute."""
    stated: dict[str, set[str]] = defaultdict(set)
    for copy in copies:
        if copy.is_own:
            for alias in copy.bundle["source_aliases"]:
                stated[alias["alias_kind"]].add(alias["created_at"])
    aliases: list[Alias] = []
    notes: list[str] = []
    for kind, value in due:
        given_at = _stated(stated[kind], derived)
        aliases.append({"alias_kind": kind, "alias_value": value, "created_at": given_at})
        if len(stated[kind] - {derived}) > 1:
            said = " and ".join(sorted(stated[kind]))
            notes.append(f"our own copies date the alias {kind} {said}; kept {given_at}")
    return aliases, notes


def _used(events: Iterable[Event], copies: Sequence[_Copy]) -> Iterator[KeyName]:
    """Yield the keys that events and receipts name, each with its id there."""
    keys = {print_of_key: key for copy in copies for (_, print_of_key), key in copy.keys.items()}
    for event in events:
        yield keys[event["signature"]["public_key_fingerprint"]], event["signature"]["key_id"]
        if is_created(event):
            receipt = event["payload"]["receipt"]
            yield keys[receipt["public_key_fingerprint"]], receipt["key_id"]


def _key_documents(
    used: Collection[KeyName], copies: Iterable[_Copy], issuer: Issuer
) -> list[PublicKey]:
    """Return the entries of `public_keys`: of keys that are used, or of which we said something."""
    stated: dict[KeyName, list[PublicKey]] = {name: [] for name in used}
    for copy in copies:
        for entry in copy.bundle["public_keys"] if copy.is_own else []:
            key, key_id = bytes.fromhex(entry["public_key_hex"]), entry["key_id"]
            if key != issuer.signer.public_key and entry != _bare(key, key_id):
                stated.setdefault((key, key_id), []).append(_like(entry, _bare(key, key_id)))
    documents: list[PublicKey] = []
    for (key, key_id), entries in stated.items():
        if key == issuer.signer.public_key:
            documents.append({**issuer.key_document, "key_id": key_id})
        else:
            documents.append(min(entries, key=canonical_json_unchecked, default=_bare(key, key_id)))
    return documents


def _bare(key: bytes, key_id: str) -> PublicKey:
    """Return the entry of a key of which nothing is known but itself."""
    return {"key_id": key_id, **key_facts(key), "rotates_at": None, "url": None, "notes": ""}


def _layout(issuer: Issuer) -> Bundle:
    """Return a bundle of nothing, for the order of its keys, which no signature covers."""
    blank = Issuer(issuer.identity, _Blank())
    moment = datetime.fromisoformat("2000-01-01T00:00:00Z")
    version = Version(1, moment)
    paper = Paper(
        id="x/0000000", versions=(version,), title="x", abstract="x", authors="", categories=("x",)
    )
    return issue(draft(paper), issuer=blank, times=IssueTimes.at(moment))


class _Blank:
    """Signs nothing."""

    public_key = bytes(32)

    def sign(self, _message: bytes) -> bytes:
        return bytes(SIGNATURE_BYTES)


def _laid_out(event: Event, own: Sequence[Event]) -> Event:
    """Return an event with its keys in the published order; those of a foreign payload sorted."""
    like = {example["event_type"]: example for example in own}
    laid_out: Event = _like(event, like.get(event["event_type"], {**own[0], "payload": None}))
    return laid_out


def _like(value: JsonValue, example: JsonValue) -> JsonValue:
    """Return `value` with the keys of its objects in the order of `example`, or else sorted."""
    if isinstance(value, dict):
        is_like = isinstance(example, dict) and example.keys() == value.keys()
        order = example if is_like else dict.fromkeys(sorted(value))
        return {name: _like(value[name], order[name]) for name in order}
    return [_like(item, None) for item in value] if isinstance(value, list) else value
