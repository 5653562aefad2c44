"""The checks of a bundle: each a function that raises where something is wrong (spec, section 7).

Each reads a document that has canonical JSON, but whose values may be of any type anywhere.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import cast

from transforms.bundle.build import BUNDLE_VERSION, SIGNED_MESSAGE
from transforms.bundle.events import EXCERPT_LENGTH
from transforms.bundle.record import SCHEMA_VERSION, alias_values
from transforms.bundle.state import MERGE_VERSION, hashed_bytes, unhashed_state
from transforms.bundle.validity import why_not_signed
from transforms.documents.bundle import Document
from transforms.documents.record import Record
from transforms.encoding.canonical import canonical_json_unchecked, text_sha256
from transforms.encoding.digest import sha256, to_hex
from transforms.encoding.timestamps import SECONDS_LENGTH, to_seconds
from transforms.signing import PUBLIC_KEY_BYTES, decode_base64, key_facts
from transforms.verify.part_checks import PART_CHECKS
from transforms.verify.subject import (
    FailedError,
    Subject,
    UncheckedError,
    get,
    instant,
    moment,
    same,
)
from transforms.verify.text_hashes import TextHashes

_BUNDLE_SIGNATURE = {
    "signature_status", "algorithm", "key_id", "public_key_fingerprint",
    "signature_b64", "signed_message", "signed_at", "bundle_sha256",
}  # fmt: skip

_ALIAS = {"alias_kind", "alias_value", "created_at"}


def _version(subject: Subject) -> None:
    for stated, known in (
        (subject.bundle.get("bundle_version"), BUNDLE_VERSION),
        (subject.bundle.get("merge_version"), MERGE_VERSION),
        (subject.record.get("schema_version"), SCHEMA_VERSION),
    ):
        if stated != known:
            raise FailedError(f"a version other than {known}, which alone is known here")


def _canonical_hash(subject: Subject) -> None:
    stated = get(subject.bundle, str, "canonical_sha256")
    if stated != to_hex(subject.pith_id.digest):
        raise FailedError("canonical_sha256 is not the hash of canonical_record")


def _number(subject: Subject) -> None:
    if get(subject.bundle, str, "pith_number") != subject.pith_id.number:
        raise FailedError(f"the record's number is {subject.pith_id.number}")


def _short_number(subject: Subject) -> None:
    if get(subject.bundle, str, "short_pith_number") != subject.pith_id.short_number:
        raise FailedError(f"the record's short number is {subject.pith_id.short_number}")


def _source(subject: Subject) -> None:
    if not same(subject.bundle.get("source"), subject.record.get("source")):
        raise FailedError("source differs from the canonical record's")


def _aliases(subject: Subject) -> None:
    stated = get(subject.bundle, list, "source_aliases")
    get(subject.record, str, "source", "id")
    get(subject.record, int, "source", "version")
    for time in subject.alias_times:
        moment(time, "created_at")
        if len(time) != SECONDS_LENGTH:
            raise FailedError("an alias is not dated in whole seconds")
    if any(alias.keys() != _ALIAS for alias in stated):
        raise FailedError("an alias has a key too many or too few")
    due = alias_values(cast("Record", subject.record), subject.pith_id)
    if [(alias["alias_kind"], alias["alias_value"]) for alias in stated] != due:
        raise FailedError("source_aliases are not those of the record")


def _public_keys(subject: Subject) -> None:
    listed: dict[tuple[object, bytes], object] = {}
    for entry in get(subject.bundle, list, "public_keys"):
        key = _decoded_key(entry)
        for name, due in key_facts(key).items():
            if entry.get(name) != due:
                raise FailedError(f"a public key's {name} is not {due}")
        key_id = get(entry, str, "key_id")
        first = listed.setdefault((key_id, key), entry)
        if first is not entry and not same(first, entry):
            raise FailedError("a public key stands twice under one id, with different contents")


def _decoded_key(entry: object) -> bytes:
    try:
        return decode_base64(get(entry, str, "public_key_b64"), PUBLIC_KEY_BYTES)
    except ValueError as error:
        raise FailedError(f"a public key is {error}") from None


def _receipt(subject: Subject) -> None:
    first_computed = {_one_receipt(subject, each) for each in subject.of_type("record_created")}
    if len(first_computed) != 1:
        raise FailedError(
            "two values of first_computed_at" if first_computed else "no record_created"
        )


def _one_receipt(subject: Subject, payload: Document) -> datetime:
    """Check the receipt in one `record_created`, and return its `first_computed_at`."""
    receipt, hex_digest = get(payload, dict, "receipt"), to_hex(subject.pith_id.digest)
    of_record = canonical_json_unchecked(payload.get("canonical_record")) == subject.record_json
    if not of_record or payload.get("canonical_sha256") != hex_digest:
        raise FailedError("record_created is about another canonical record")
    if get(receipt, str, "canonical_sha256") != hex_digest:
        raise FailedError("the receipt is for another canonical record")
    digest = subject.pith_id.digest
    reason = why_not_signed(receipt, digest, "canonical_sha256_bytes", subject.keys)
    if reason:
        raise FailedError(reason)
    computed = instant(receipt, "first_computed_at")
    if not computed <= instant(receipt, "last_reissued_at") <= instant(receipt, "signed_at"):
        raise FailedError("first_computed_at, last_reissued_at and signed_at are not in that order")
    return computed


def _events(subject: Subject) -> None:
    for entry in subject.validated.invalid:
        raise FailedError(f"event {entry['event_id']}: {entry['reason']}")


def _title(subject: Subject) -> None:
    due = get(subject.record, str, "metadata", "title_canon_sha256")
    for payload in subject.of_type("graph_snapshot"):
        if to_hex(text_sha256(get(payload, str, "graph_snapshot", "paper", "title"))) != due:
            raise FailedError("a snapshot's title does not hash to title_canon_sha256")


def _abstract(subject: Subject) -> None:
    due = get(subject.record, str, "metadata", "abstract_canon_sha256")
    cut = False
    for payload in subject.of_type("graph_snapshot"):
        excerpt = get(payload, str, "graph_snapshot", "paper", "abstract_excerpt")
        if to_hex(text_sha256(excerpt)) == due:
            continue
        if len(excerpt) != EXCERPT_LENGTH:
            raise FailedError("a snapshot's abstract does not hash to abstract_canon_sha256")
        cut = True
    if cut:
        raise UncheckedError(
            f"the bundle holds only the first {EXCERPT_LENGTH} characters of the abstract"
        )


def _state(subject: Subject) -> None:
    state, hashed = unhashed_state(
        subject.validated,
        number=subject.pith_id.number,
        source_aliases=get(subject.bundle, list, "source_aliases"),
    )
    stated = get(subject.bundle, dict, "state")
    if hashed_bytes(stated) != hashed:
        due = cast("Document", state)
        for name in sorted(due.keys() | stated.keys() - {"state_sha256"}):
            if name not in stated or name not in due or not same(stated[name], due[name]):
                raise FailedError(f"state.{name} is not what the events merge to")
    if stated.get("state_sha256") != to_hex(sha256(hashed)):
        raise FailedError("state_sha256 is not the hash of the state")


def _bundle_hash(subject: Subject) -> None:
    stated = get(subject.bundle, str, "bundle_signature", "bundle_sha256")
    if stated != to_hex(subject.digest):
        raise FailedError("bundle_sha256 is not the hash of the bundle")


def _bundle_signature(subject: Subject) -> None:
    signature = get(subject.bundle, dict, "bundle_signature")
    if signature.keys() != _BUNDLE_SIGNATURE:
        raise FailedError("bundle_signature has a key too many or too few")
    reason = why_not_signed(signature, subject.digest, SIGNED_MESSAGE, subject.keys)
    if reason:
        raise FailedError(reason)
    # What follows is not signed, so that which is signed must leave one value for each, but for
    # the fraction of a second. Where a key has several ids, the first that is listed counts.
    signed_at = instant(signature, "signed_at")
    if len(signature["signed_at"]) == SECONDS_LENGTH:
        raise FailedError("signed_at is not written with microseconds")
    if to_seconds(signed_at) != get(subject.bundle, str, "built_at"):
        raise FailedError("signed_at is not within the second of built_at")
    print_of_key = signature["public_key_fingerprint"]
    ids = [key_id for key_id, named in subject.keys if named == print_of_key]
    if signature["key_id"] != ids[0]:
        raise FailedError("key_id is not the first id under which the key is listed")


def columns_check(columns: Mapping[str, object]) -> Callable[[Subject], None]:
    """Return the check that a table's columns say the same as the bundle in the same row."""

    def check(subject: Subject) -> None:
        due = {
            "pith_number": subject.bundle.get("pith_number"),
            "canonical_sha256": subject.bundle.get("canonical_sha256"),
            "bundle_sha256": get(subject.bundle, dict, "bundle_signature").get("bundle_sha256"),
        }
        for name, value in columns.items():
            if value != due[name]:
                raise FailedError(f"the row's {name} is not the bundle's")

    return check


def metadata_check(texts: TextHashes) -> Callable[[Subject], None]:
    """Return the check of title and abstract hash against arXiv's own metadata."""

    def check(subject: Subject) -> None:
        arxiv_id = get(subject.record, str, "source", "id")
        version = get(subject.record, int, "source", "version")
        hashes = texts.get((arxiv_id, version)) or texts.get((arxiv_id, None))
        if hashes is None:
            raise UncheckedError(f"the metadata has no {arxiv_id}v{version}")
        for name, due in zip(("title", "abstract"), hashes, strict=True):
            if get(subject.record, str, "metadata", f"{name}_canon_sha256") != to_hex(due):
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
    *PART_CHECKS,
)
"""The checks of every bundle, in this order."""
