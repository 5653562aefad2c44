"""The checks of a bundle: each a function that raises where something is wrong (spec, section 7).

Each reads a document that has canonical JSON, but whose values may be of any type anywhere.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from typing import Any, TypeVar

from transforms.bundle import BUNDLE_VERSION, SIGNED_MESSAGE
from transforms.canon import sha256, text_sha256, write_canonical, write_document
from transforms.events import EXCERPT_LENGTH
from transforms.instants import from_text, to_seconds
from transforms.merge import (
    MERGE_VERSION,
    Judged,
    Keys,
    judge,
    listed_keys,
    state_of,
    why_not_signed,
)
from transforms.record import SCHEMA_VERSION, PithId, alias_values, identify
from transforms.signing import PUBLIC_KEY_BYTES, decode_base64, key_facts
from transforms.texts import TextHashes

_BUNDLE_SIGNATURE = {
    "signature_status", "algorithm", "key_id", "public_key_fingerprint",
    "signature_b64", "signed_message", "signed_at", "bundle_sha256",
}  # fmt: skip

_ALIAS = {"alias_kind", "alias_value", "created_at"}

_T = TypeVar("_T", str, int, dict[str, Any], list[Any])


class FailedError(Exception):
    """A check found something wrong; the message is its detail."""


class UncheckedError(Exception):
    """A check lacks what it needs; the message says what."""


class Subject:
    """A bundle under examination, with what several checks need computed once."""

    def __init__(self, bundle: dict[str, Any]) -> None:
        """Take what `read_json` returned; raises `CanonicalError` if it has no canonical JSON."""
        self.bundle = bundle
        signed = {name: bundle[name] for name in bundle if name != "bundle_signature"}
        self.digest = sha256(write_document(signed))
        """The 32 bytes that the bundle's signature signs."""
        write_document({name: bundle[name] for name in bundle.keys() - signed.keys()})

    @cached_property
    def record(self) -> dict[str, Any]:
        """The canonical record that the bundle states."""
        return _get(self.bundle, dict, "canonical_record")

    @cached_property
    def pith_id(self) -> PithId:
        """What the record hashes to."""
        _get(self.record, str, "metadata", "submitted_at")
        return identify(self.record)

    @cached_property
    def events(self) -> list[Any]:
        """All events, whatever they are."""
        return _get(self.bundle, list, "events")

    @cached_property
    def keys(self) -> Keys:
        """The usable keys that the bundle lists."""
        return listed_keys(_get(self.bundle, list, "public_keys"))

    @cached_property
    def judged(self) -> Judged:
        """The events, with their hashes computed and signatures verified."""
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


def _get(value: Any, kind: type[_T], *path: str) -> _T:  # noqa: ANN401 - any JSON value
    """Follow `path` through objects to a value of exactly `kind`, or fail naming the place."""
    for key in path:
        # Not `isinstance`: what JSON gives is of no subclass, and this is done 40 times a bundle.
        if type(value) is not dict or key not in value:
            raise FailedError(f"{'.'.join(path[: path.index(key) + 1])} is missing")
        value = value[key]
    if type(value) is not kind:
        raise FailedError(f"{'.'.join(path)} is not of the type {kind.__name__}")
    return value


def _same(first: object, second: object) -> bool:
    """Tell whether both are the same JSON; `==` alone would take `true` for 1."""
    return write_canonical(first) == write_canonical(second)


def _version(subject: Subject) -> None:
    for stated, known in (
        (subject.bundle.get("bundle_version"), BUNDLE_VERSION),
        (subject.bundle.get("merge_version"), MERGE_VERSION),
        (subject.record.get("schema_version"), SCHEMA_VERSION),
    ):
        if stated != known:
            raise FailedError(f"a version other than {known}, which alone is known here")


def _canonical_hash(subject: Subject) -> None:
    stated = _get(subject.bundle, str, "canonical_sha256")
    if stated != subject.pith_id.digest.hex():
        raise FailedError("canonical_sha256 is not the hash of canonical_record")


def _number(subject: Subject) -> None:
    if _get(subject.bundle, str, "pith_number") != subject.pith_id.number:
        raise FailedError(f"the record's number is {subject.pith_id.number}")


def _short_number(subject: Subject) -> None:
    if _get(subject.bundle, str, "short_pith_number") != subject.pith_id.short_number:
        raise FailedError(f"the record's short number is {subject.pith_id.short_number}")


def _source(subject: Subject) -> None:
    if not _same(subject.bundle.get("source"), subject.record.get("source")):
        raise FailedError("source differs from the canonical record's")


def _aliases(subject: Subject) -> None:
    stated = _get(subject.bundle, list, "source_aliases")
    _get(subject.record, str, "source", "id")
    _get(subject.record, int, "source", "version")
    for alias in stated:
        _instant(alias, "created_at")
        if alias.keys() != _ALIAS:
            raise FailedError("an alias has a key too many or too few")
    due = alias_values(subject.record, subject.pith_id)
    if [(alias["alias_kind"], alias["alias_value"]) for alias in stated] != due:
        raise FailedError("source_aliases are not those of the record")


def _public_keys(subject: Subject) -> None:
    for entry in _get(subject.bundle, list, "public_keys"):
        for name, due in key_facts(_decoded_key(entry)).items():
            if entry.get(name) != due:
                raise FailedError(f"a public key's {name} is not {due}")


def _decoded_key(entry: object) -> bytes:
    try:
        return decode_base64(_get(entry, str, "public_key_b64"), PUBLIC_KEY_BYTES)
    except ValueError as error:
        raise FailedError(f"a public key is {error}") from None


def _receipt(subject: Subject) -> None:
    first_computed = {_one_receipt(subject, each) for each in subject.of_type("record_created")}
    if len(first_computed) != 1:
        raise FailedError(
            "two values of first_computed_at" if first_computed else "no record_created"
        )


def _one_receipt(subject: Subject, payload: dict[str, Any]) -> datetime:
    """Check the receipt in one `record_created`, and return its `first_computed_at`."""
    receipt, hex_digest = _get(payload, dict, "receipt"), subject.pith_id.digest.hex()
    stated = [payload.get("canonical_record"), payload.get("canonical_sha256")]
    if not _same(stated, [subject.record, hex_digest]):
        raise FailedError("record_created is about another canonical record")
    if _get(receipt, str, "canonical_sha256") != hex_digest:
        raise FailedError("the receipt is for another canonical record")
    digest = subject.pith_id.digest
    reason = why_not_signed(receipt, digest, "canonical_sha256_bytes", subject.keys)
    if reason:
        raise FailedError(reason)
    computed = _instant(receipt, "first_computed_at")
    if not computed <= _instant(receipt, "last_reissued_at") <= _instant(receipt, "signed_at"):
        raise FailedError("first_computed_at, last_reissued_at and signed_at are not in that order")
    return computed


def _events(subject: Subject) -> None:
    for entry in subject.judged.invalid:
        raise FailedError(f"event {entry['event_id']}: {entry['reason']}")


def _title(subject: Subject) -> None:
    due = _get(subject.record, str, "metadata", "title_canon_sha256")
    for payload in subject.of_type("graph_snapshot"):
        if text_sha256(_get(payload, str, "graph_snapshot", "paper", "title")) != due:
            raise FailedError("a snapshot's title does not hash to title_canon_sha256")


def _abstract(subject: Subject) -> None:
    due = _get(subject.record, str, "metadata", "abstract_canon_sha256")
    cut = False
    for payload in subject.of_type("graph_snapshot"):
        excerpt = _get(payload, str, "graph_snapshot", "paper", "abstract_excerpt")
        if text_sha256(excerpt) == due:
            continue
        if len(excerpt) != EXCERPT_LENGTH:
            raise FailedError("a snapshot's abstract does not hash to abstract_canon_sha256")
        cut = True
    if cut:
        raise UncheckedError(
            f"the bundle holds only the first {EXCERPT_LENGTH} characters of the abstract"
        )


def _state(subject: Subject) -> None:
    due = state_of(
        subject.judged,
        number=subject.pith_id.number,
        source_aliases=_get(subject.bundle, list, "source_aliases"),
    )
    stated = _get(subject.bundle, dict, "state")
    if _same(stated, due):
        return
    for name in sorted(due.keys() | stated.keys()):
        if name not in stated or name not in due or not _same(stated[name], due[name]):
            raise FailedError(f"state.{name} is not what the events merge to")


def _bundle_hash(subject: Subject) -> None:
    stated = _get(subject.bundle, str, "bundle_signature", "bundle_sha256")
    if stated != subject.digest.hex():
        raise FailedError("bundle_sha256 is not the hash of the bundle")


def _bundle_signature(subject: Subject) -> None:
    signature = _get(subject.bundle, dict, "bundle_signature")
    if signature.keys() != _BUNDLE_SIGNATURE:
        raise FailedError("bundle_signature has a key too many or too few")
    reason = why_not_signed(signature, subject.digest, SIGNED_MESSAGE, subject.keys)
    if reason:
        raise FailedError(reason)
    # The signature does not cover its own time; built_at, which it covers, bounds that.
    if to_seconds(_instant(signature, "signed_at")) != _get(subject.bundle, str, "built_at"):
        raise FailedError("signed_at is not within the second of built_at")


def _instant(value: object, key: str) -> datetime:
    try:
        return from_text(_get(value, str, key))
    except ValueError as error:
        raise FailedError(f"{key}: {error}") from None


def columns_check(columns: Mapping[str, object]) -> Callable[[Subject], None]:
    """Return the check that a table's columns say the same as the bundle in the same row."""

    def check(subject: Subject) -> None:
        due = {
            "pith_number": subject.bundle.get("pith_number"),
            "canonical_sha256": subject.bundle.get("canonical_sha256"),
            "bundle_sha256": _get(subject.bundle, dict, "bundle_signature").get("bundle_sha256"),
        }
        for name, value in columns.items():
            if value != due[name]:
                raise FailedError(f"the row's {name} is not the bundle's")

    return check


def metadata_check(texts: TextHashes) -> Callable[[Subject], None]:
    """Return the check of title and abstract hash against arXiv's own metadata."""

    def check(subject: Subject) -> None:
        arxiv_id = _get(subject.record, str, "source", "id")
        version = _get(subject.record, int, "source", "version")
        hashes = texts.get((arxiv_id, version)) or texts.get((arxiv_id, None))
        if hashes is None:
            raise UncheckedError(f"the metadata has no {arxiv_id}v{version}")
        for name, due in zip(("title", "abstract"), hashes, strict=True):
            if _get(subject.record, str, "metadata", f"{name}_canon_sha256") != due.hex():
                raise FailedError(f"{name}_canon_sha256 is not the hash of arXiv's {name}")

    return check


CHECKS: tuple[tuple[str, Callable[[Subject], None]], ...] = (
    ("version", _version),
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
"""What is checked of every bundle, in this order."""
