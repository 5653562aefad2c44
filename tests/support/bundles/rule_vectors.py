"""Vectors of single rules: times, signatures, merges. `make_vectors.py` writes them."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

from support.bundles.odd_signatures import odd_signatures
from transforms import Ed25519Signer, Identity, Issuer, merge
from transforms.bundle.events import SIGNED_MESSAGE, content_digest
from transforms.encoding.canonical import canonical_json
from transforms.encoding.digest import sha256
from transforms.encoding.timestamps import to_seconds
from transforms.signing import is_signed_by, signature_block

NUMBER = "pith:2024:ABCDEFGHIJKLMNOPQRSTUVWXYZ"
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

TIMES = [
    "2026-01-02T03:04:05Z", "2026-01-02T03:04:05.000000Z", "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59.999999Z", "2024-02-29T00:00:00Z", "2000-02-29T00:00:00Z",
]  # fmt: skip
REFUSED_TIMES = {
    "2026-01-02T03:04:05.1Z": "six digits of a second or none",
    "2026-01-02T03:04:05,000000Z": "likewise",
    "2026-01-02T03:04:05+00:00": "Z and nothing else",
    "2026-01-02T03:04:05z": "likewise",
    "2026-01-02 03:04:05Z": "T and nothing else",
    "2026-01-02T24:00:00Z": "no such hour",
    "2026-01-02T03:04:60Z": "no leap seconds",
    "2026-02-29T00:00:00Z": "no such day",
    "1900-02-29T00:00:00Z": "no such day",
    "2026-13-01T00:00:00Z": "no such month",
    "2026-00-01T00:00:00Z": "no such month",
    "0000-01-01T00:00:00Z": "no such year",
    "2026-1-2T03:04:05Z": "two digits each",
    "٢٠٢٦-01-02T03:04:05Z": "ASCII digits",
    "2026-01-02T03:04:05Z\n": "nothing after it",
}


def rule_vectors(issuer: Issuer) -> dict[str, Any]:
    """Return the files of the vectors of single rules, by name."""
    refused = [{"text": text, "reason": reason} for text, reason in REFUSED_TIMES.items()]
    return {
        "times.json": {"accepted": TIMES, "refused": refused},
        "signatures.json": _signatures(),
        "merge.json": _merges(issuer),
    }


def _signatures() -> dict[str, Any]:
    message = sha256(b"a message")
    cases = [
        {
            "odd": odd,
            "public_key_hex": key.hex(),
            "signature_hex": signature.hex(),
            "verifies": is_signed_by(key, message, signature),
        }
        for odd, (key, signature) in odd_signatures(message).items()
    ]
    return {"message_hex": message.hex(), "signatures": cases}


def _merges(issuer: Issuer) -> dict[str, Any]:
    identity = {**{name: getattr(issuer.identity, name) for name in issuer.identity.__slots__},
                "signer_id": "second.invalid", "key_id": "vectors-2"}  # fmt: skip
    second = Issuer(Identity(**identity), Ed25519Signer(bytes(range(2, 34))))
    keys = [issuer.key_document, second.key_document]
    cases = [
        {
            "shows": shows,
            "events": events,
            "state": merge(events, number=NUMBER, public_keys=keys, source_aliases=[]),
        }
        for shows, events in _cases(issuer, second).items()
    ]
    return {"pith_number": NUMBER, "public_keys": keys, "source_aliases": [], "cases": cases}


def _cases(issuer: Issuer, second: Issuer) -> dict[str, list[Any]]:
    first = _event(issuer, 1)
    newer, rival = _event(issuer, 2, after=first), _event(issuer, 3, after=first)
    again, later = deepcopy(first), _event(issuer, 4, after=newer)
    again["signature"]["signed_at"] = "2026-01-02T03:04:05.000001Z"
    foreign = _event(second, 5, after=first)
    joined = _event(issuer, 6, after=first, also=[newer["event_id"]])
    created = _event(issuer, 7, event_type="record_created", target="record")
    unknown = _event(second, 8, event_type="pith.integrity.v1", target="record")
    correction = _event(second, 9, event_type="correction", target="record")
    return {
        "nothing": [],
        "an event that another replaces": [newer, first],
        "a chain of three, of which the last is active": [later, first, newer],
        "equivocation: two after one, neither replaces the other; what was active before is": [
            first, newer, rival],
        "of three after one, two equivocate; one that replaces both does not": [
            first, newer, rival, _event(issuer, 10, after=first,
                                        also=[newer["event_id"], rival["event_id"]])],
        "of three after one, one replaces another: each equivocates with the third": [
            first, newer, rival, joined],
        "two that replace one, after different ones, do not equivocate: both are active": [
            first, newer, _event(issuer, 15, also=[first["event_id"]])],
        "another signer replaces nothing": [first, foreign],
        "another type replaces nothing": [
            first, _event(issuer, 11, event_type="correction", target="graph", after=first)],
        "another target replaces nothing": [first, _event(issuer, 12, target="x", after=first)],
        "record_created before all others of its second": [first, created],
        "a type that is not known is counted and applied, and in no list": [unknown, correction],
        "the same event twice counts once, also with two signatures": [first, first, again],
        "what is not valid is listed with its reason and changes nothing": [
            first, *_invalid(issuer, newer)],
    }  # fmt: skip


def _invalid(issuer: Issuer, event: dict[str, Any]) -> list[Any]:
    """Return an event for each reason why one is not valid."""
    stranger = Issuer(issuer.identity, Ed25519Signer(bytes(32)))

    def signed_with(**changed: Any) -> dict[str, Any]:
        return {**event, "signature": {**event["signature"], **changed}}

    return [
        "no event",
        {**event, "supersedes": [1]},
        {**event, "payload": None},
        {**event, "event_id": "sha256:0"},
        _event(issuer, 13, number="pith:2024:BBCDEFGHIJKLMNOPQRSTUVWXYZ"),
        {**event, "signature": None},
        signed_with(algorithm="none"),
        _event(stranger, 14),
        signed_with(signature_b64="?"),
        signed_with(signature_b64="A" * 86 + "=="),
    ]


def _event(
    by: Issuer,
    n: int,
    event_type: str = "graph_snapshot",
    target: str = "graph",
    after: dict[str, Any] | None = None,
    also: list[str] | None = None,
    number: str = NUMBER,
) -> dict[str, Any]:
    """Return an event, n seconds after the first; its payload is only a number."""
    moment = AT + timedelta(seconds=0 if event_type == "record_created" else n)
    body = {
        "event_type": event_type,
        "subject_pith_number": number,
        "target": target,
        "payload": {"n": n},
        "signer": {"signer_id": by.identity.signer_id},
        "created_at": to_seconds(moment),
        "supersedes": ([after["event_id"]] if after else []) + (also or []),
        "prev_event": after["event_id"] if after else None,
        "schema_version": "1.0",
    }
    digest = content_digest(body)
    assert canonical_json(body)
    return {
        **body,
        "signature": signature_block(digest, SIGNED_MESSAGE, issuer=by, signed_at=moment),
        "content_sha256": digest.hex(),
        "event_id": f"sha256:{digest.hex()}",
    }
