"""Verifying a bundle offline (spec, section 7).

Two answers, reported apart: *valid*, everything recomputes and every signature verifies under the
bundle's own keys; *trusted*, those keys are among the ones that the verifier brought along.
"""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

from transforms.bundle import SIGNED_MESSAGE, bundle_digest
from transforms.canon import CanonicalError, canonical_json, sha256, text_sha256
from transforms.events import EXCERPT_LENGTH
from transforms.instants import from_text, to_seconds
from transforms.merge import Judged, Keys, judge, listed_keys, state_of, why_not_signed
from transforms.record import PithId, base32_prefix, identify, source_aliases
from transforms.signing import PUBLIC_KEY_BYTES, decode_base64, fingerprint
from transforms.strict_json import NotStrictJsonError, read_json

PITH_SCIENCE_KEY = decode_base64("stVStoiQhXFxp4s2pdzPNoqVNBMojDU/fJ2db5S3CbM=", PUBLIC_KEY_BYTES)
"""The published key of pith.science (spec, section 7)."""

_BUNDLE_SIGNATURE = {
    "signature_status", "algorithm", "key_id", "public_key_fingerprint",
    "signature_b64", "signed_message", "signed_at", "bundle_sha256",
}  # fmt: skip

_T = TypeVar("_T", str, int, dict[str, Any], list[Any])


class Outcome(StrEnum):
    """What a check found."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    UNCHECKED = "could not check"


@dataclass(frozen=True, slots=True)
class Check:
    """One named check of a bundle; `detail` says what is wrong, or why it could not be checked."""

    name: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BundleReport:
    """What verifying one bundle found; `checks` is empty where it could not be read."""

    pith_number: str | None
    checks: tuple[Check, ...]
    trusted: bool
    unreadable: str = ""

    @property
    def valid(self) -> bool:
        """Whether the bundle was read and no check failed."""
        return not self.unreadable and self.failure is None

    @property
    def failure(self) -> Check | None:
        """The first check that failed."""
        return next((check for check in self.checks if check.outcome is Outcome.FAIL), None)


class _FailedError(Exception):
    """A check found something wrong; the message is its detail."""


class _UncheckedError(Exception):
    """A check lacks what it needs; the message says what."""


def verify_bundle(data: bytes, pinned: Collection[bytes]) -> BundleReport:
    """Check the bytes of a bundle file against the rules, and its keys against `pinned` ones.

    `pinned` holds the raw 32-byte public keys that the verifier trusts. Any input gives a report,
    in time and memory bounded by `strict_json.MAX_BYTES`; nothing is raised for a bad bundle.
    """
    try:
        value = read_json(data)
    except NotStrictJsonError as error:
        return BundleReport(None, (), trusted=False, unreadable=str(error))
    if not isinstance(value, dict) or value.get("bundle_type") != "pith_open_graph_bundle":
        return BundleReport(None, (), trusted=False, unreadable="JSON, but not a Pith bundle")
    subject = _Subject(value)
    checks = tuple(_run(name, check, subject) for name, check in _CHECKS)
    valid = all(check.outcome is not Outcome.FAIL for check in checks)
    number = value.get("pith_number")
    return BundleReport(
        number if isinstance(number, str) else None,
        checks,
        trusted=valid and subject.signing_keys() <= set(pinned),
    )


class _Subject:
    """A bundle under examination, with what several checks need computed once."""

    def __init__(self, bundle: dict[str, Any]) -> None:
        self.bundle = bundle

    @cached_property
    def record(self) -> dict[str, Any]:
        return _get(self.bundle, dict, "canonical_record")

    @cached_property
    def pith_id(self) -> PithId:
        _get(self.record, str, "metadata", "submitted_at")
        return identify(self.record)

    @cached_property
    def events(self) -> list[Any]:
        return _get(self.bundle, list, "events")

    @cached_property
    def keys(self) -> Keys:
        return listed_keys(_get(self.bundle, list, "public_keys"))

    @cached_property
    def judged(self) -> Judged:
        return judge(self.events, number=self.pith_id.number, keys=self.keys)

    def of_type(self, event_type: str) -> Iterator[dict[str, Any]]:
        """Give the payloads of the events of one type; a payload is an object."""
        for event in self.events:
            if isinstance(event, dict) and event.get("event_type") == event_type:
                yield _get(event, dict, "payload")

    def signing_keys(self) -> set[bytes]:
        """Return the raw keys that signed a valid bundle: receipts, events and the whole."""
        signatures = [payload["receipt"] for payload in self.of_type("record_created")]
        signatures += [event["signature"] for event in self.events]
        signatures.append(self.bundle["bundle_signature"])
        return {self.keys[s["key_id"], s["public_key_fingerprint"]] for s in signatures}


def _run(name: str, check: Callable[[_Subject], None], subject: _Subject) -> Check:
    try:
        check(subject)
    except (_FailedError, CanonicalError) as error:
        return Check(name, Outcome.FAIL, str(error))
    except _UncheckedError as error:
        return Check(name, Outcome.UNCHECKED, str(error))
    return Check(name, Outcome.PASS)


def _get(value: object, kind: type[_T], *path: str) -> _T:
    """Follow `path` through objects to a value of exactly `kind`, or fail naming the place."""
    for depth, key in enumerate(path, 1):
        if not isinstance(value, dict) or key not in value:
            raise _FailedError(f"{'.'.join(path[:depth])} is missing")
        value = value[key]
    if type(value) is not kind:
        raise _FailedError(f"{'.'.join(path)} is not of the type {kind.__name__}")
    return value


def _require(*, equal: tuple[object, object], otherwise: str) -> None:
    """Fail unless both values are the same JSON; `==` alone would take `true` for 1."""
    first, second = equal
    if canonical_json(first) != canonical_json(second):
        raise _FailedError(otherwise)


def _canonical_hash(subject: _Subject) -> None:
    stated = _get(subject.bundle, str, "canonical_sha256")
    if stated != subject.pith_id.digest.hex():
        raise _FailedError("canonical_sha256 is not the hash of canonical_record")


def _number(subject: _Subject) -> None:
    if _get(subject.bundle, str, "pith_number") != subject.pith_id.number:
        raise _FailedError(f"the record's number is {subject.pith_id.number}")


def _short_number(subject: _Subject) -> None:
    if _get(subject.bundle, str, "short_pith_number") != subject.pith_id.short_number:
        raise _FailedError(f"the record's short number is {subject.pith_id.short_number}")


def _source(subject: _Subject) -> None:
    _require(
        equal=(subject.bundle.get("source"), subject.record.get("source")),
        otherwise="source differs from the canonical record's",
    )


def _aliases(subject: _Subject) -> None:
    stated = _get(subject.bundle, list, "source_aliases")
    _get(subject.record, str, "source", "id")
    _get(subject.record, int, "source", "version")
    times = [_instant(alias, "created_at") for alias in stated]
    now = times[0] if times else _instant(subject.bundle, "built_at")
    due = source_aliases(subject.record, subject.pith_id, aliased_at=now, shortened_at=now)
    for alias in due:
        del alias["created_at"]
    nameless = [{k: v for k, v in alias.items() if k != "created_at"} for alias in stated]
    _require(equal=(nameless, due), otherwise="source_aliases are not those of the record")


def _public_keys(subject: _Subject) -> None:
    for entry in _get(subject.bundle, list, "public_keys"):
        key = _decoded_key(entry)
        stated = {
            "algorithm": "ed25519",
            "format": "raw",
            "public_key_hex": key.hex(),
            "fingerprint_sha256_hex": fingerprint(key),
            "fingerprint_sha256_b32_first128bits": base32_prefix(sha256(key)),
        }
        for name, due in stated.items():
            if entry.get(name) != due:
                raise _FailedError(f"a public key's {name} is not {due}")


def _decoded_key(entry: object) -> bytes:
    try:
        return decode_base64(_get(entry, str, "public_key_b64"), PUBLIC_KEY_BYTES)
    except ValueError as error:
        raise _FailedError(f"a public key is {error}") from None


def _receipt(subject: _Subject) -> None:
    first_computed = set()
    for payload in subject.of_type("record_created"):
        receipt = _get(payload, dict, "receipt")
        _require(
            equal=(
                [payload.get("canonical_record"), payload.get("canonical_sha256")],
                [subject.record, subject.pith_id.digest.hex()],
            ),
            otherwise="record_created is about another canonical record",
        )
        if _get(receipt, str, "canonical_sha256") != subject.pith_id.digest.hex():
            raise _FailedError("the receipt is for another canonical record")
        reason = why_not_signed(
            receipt, subject.pith_id.digest, "canonical_sha256_bytes", subject.keys
        )
        if reason:
            raise _FailedError(reason)
        computed = _instant(receipt, "first_computed_at")
        if not computed <= _instant(receipt, "last_reissued_at") <= _instant(receipt, "signed_at"):
            raise _FailedError(
                "first_computed_at, last_reissued_at and signed_at are not in that order"
            )
        first_computed.add(computed)
    if len(first_computed) != 1:
        raise _FailedError(
            "no record_created" if not first_computed else "two values of first_computed_at"
        )


def _events(subject: _Subject) -> None:
    for entry in subject.judged.invalid:
        raise _FailedError(f"event {entry['event_id']}: {entry['reason']}")


def _title(subject: _Subject) -> None:
    due = _get(subject.record, str, "metadata", "title_canon_sha256")
    for payload in subject.of_type("graph_snapshot"):
        if text_sha256(_get(payload, str, "graph_snapshot", "paper", "title")) != due:
            raise _FailedError("a snapshot's title does not hash to title_canon_sha256")


def _abstract(subject: _Subject) -> None:
    due = _get(subject.record, str, "metadata", "abstract_canon_sha256")
    cut = False
    for payload in subject.of_type("graph_snapshot"):
        excerpt = _get(payload, str, "graph_snapshot", "paper", "abstract_excerpt")
        if text_sha256(excerpt) == due:
            continue
        if len(excerpt) != EXCERPT_LENGTH:
            raise _FailedError("a snapshot's abstract does not hash to abstract_canon_sha256")
        cut = True
    if cut:
        raise _UncheckedError(
            f"the bundle holds only the first {EXCERPT_LENGTH} characters of the abstract"
        )


def _state(subject: _Subject) -> None:
    due = state_of(
        subject.judged,
        number=subject.pith_id.number,
        source_aliases=_get(subject.bundle, list, "source_aliases"),
    )
    stated = _get(subject.bundle, dict, "state")
    for name in sorted(due.keys() | stated.keys()):
        missing: object = f"no {name}"
        _require(
            equal=(stated.get(name, missing), due.get(name, missing)),
            otherwise=f"state.{name} is not what the events merge to",
        )


def _bundle_hash(subject: _Subject) -> None:
    stated = _get(subject.bundle, str, "bundle_signature", "bundle_sha256")
    if stated != bundle_digest(subject.bundle).hex():
        raise _FailedError("bundle_sha256 is not the hash of the bundle")


def _bundle_signature(subject: _Subject) -> None:
    signature = _get(subject.bundle, dict, "bundle_signature")
    if signature.keys() != _BUNDLE_SIGNATURE:
        raise _FailedError("bundle_signature has a key too many or too few")
    digest = bundle_digest(subject.bundle)
    reason = why_not_signed(signature, digest, SIGNED_MESSAGE, subject.keys)
    if reason:
        raise _FailedError(reason)
    # The signature does not cover its own time; built_at, which it covers, bounds that.
    if to_seconds(_instant(signature, "signed_at")) != _get(subject.bundle, str, "built_at"):
        raise _FailedError("signed_at is not within the second of built_at")


def _instant(value: object, key: str) -> datetime:
    try:
        return from_text(_get(value, str, key))
    except ValueError as error:
        raise _FailedError(f"{key}: {error}") from None


_CHECKS: tuple[tuple[str, Callable[[_Subject], None]], ...] = (
    ("canonical_hash", _canonical_hash),
    ("pith_number", _number),
    ("short_pith_number", _short_number),
    ("source", _source),
    ("aliases", _aliases),
    ("public_keys", _public_keys),
    ("receipt", _receipt),
    ("events", _events),
    ("title", _title),
    ("abstract", _abstract),
    ("state", _state),
    ("bundle_hash", _bundle_hash),
    ("bundle_signature", _bundle_signature),
)
