"""The checks of a bundle's form, and of its parts against each other (docs/format.md, 9)."""

from collections.abc import Callable
from datetime import timedelta

from transforms.bundle.build import links, mirror_hint
from transforms.bundle.events import EMPTY_SECTION_SHA256, empty_sections
from transforms.documents.bundle import Document
from transforms.documents.checked import (
    WEB_BASE,
    CheckedBundle,
    CheckedEvent,
    CheckedGraphSnapshot,
    CheckedRecord,
    CheckedRecordCreated,
    CheckedSnapshot,
)
from transforms.encoding.canonical import canonical_json_unchecked
from transforms.encoding.timestamps import EARLIEST_YEAR
from transforms.verify.subject import (
    FailedError,
    Subject,
    UncheckedError,
    get,
    instant,
    moment,
    same,
)

MAX_CLOCK_ERROR = timedelta(days=31)
"""A paper may have been submitted so long after its receipt: so much a clock may be behind."""

_EMPTY = empty_sections()
_ALL_EMPTY = canonical_json_unchecked(_EMPTY)

PartCheck = Callable[[Subject, CheckedBundle, list[CheckedEvent]], None]


def _schema(subject: Subject) -> None:
    if isinstance(subject.typed, str):
        raise FailedError(subject.typed)


def _of_typed(check: PartCheck) -> Callable[[Subject], None]:
    """Return a check that cannot be made of a bundle that is not of the schema."""

    def checked(subject: Subject) -> None:
        if isinstance(subject.typed, str):
            raise UncheckedError("it is not of the schema")
        check(subject, *subject.typed)

    return checked


def _signers(subject: Subject, _bundle: CheckedBundle, _events: list[CheckedEvent]) -> None:
    """Check that a signer who names a key, as both types of this format must, names its own."""
    for position, event in enumerate(subject.events):
        signer, signature = event.get("signer"), event["signature"]
        for name in ("key_id", "public_key_fingerprint"):
            if isinstance(signer, dict) and name in signer and signer[name] != signature[name]:
                raise FailedError(f"events[{position}]: the signer's {name} is not the signature's")


def _payloads(_subject: Subject, bundle: CheckedBundle, events: list[CheckedEvent]) -> None:
    record, snapshots = bundle.canonical_record, 0
    source = record.source
    for event in events:
        if isinstance(event, CheckedRecordCreated):
            payload = event.payload
            stated = payload.source_kind, payload.source_id, payload.source_version
            if stated != (source.kind, source.id, source.version):
                raise FailedError("record_created names another source than the record")
        elif isinstance(event, CheckedGraphSnapshot):
            _snapshot(event.payload.graph_snapshot, record)
            snapshots += 1
    if not snapshots:
        raise FailedError("no graph_snapshot")


def _snapshot(snapshot: CheckedSnapshot, record: CheckedRecord) -> None:
    metadata, paper = record.metadata, snapshot.paper
    agrees = {
        "source": snapshot.source == record.source,
        "license": paper.license == metadata.license,
        "primary_cat": paper.primary_cat == metadata.primary_cat,
        "cross_cats": sorted(paper.cross_cats) == metadata.cross_cats_sorted,
        "submitted_at": paper.submitted_at == metadata.submitted_at,
    }
    for name, is_same in agrees.items():
        if not is_same:
            raise FailedError(f"a snapshot's {name} is not the record's")


def _sections(subject: Subject, _bundle: CheckedBundle, _events: list[CheckedEvent]) -> None:
    filled = set()
    for payload in subject.of_type("graph_snapshot"):
        snapshot = payload["graph_snapshot"]
        if canonical_json_unchecked({name: snapshot[name] for name in _EMPTY}) != _ALL_EMPTY:
            filled |= {name for name in _EMPTY if _is_filled(snapshot[name], name)}
        if snapshot["paper"]["headline"] != "" or payload["verdict_id"] is not None:
            filled.add("verdict")
    if filled:
        raise UncheckedError(f"not empty, of no form that is known: {', '.join(sorted(filled))}")


def _is_filled(section: Document, name: str) -> bool:
    """Return whether a section of a snapshot holds something; fails if it and its hash differ."""
    if name == "verdict":
        return not same(section, _EMPTY[name])
    is_empty = same({**section, "snapshot_sha256": EMPTY_SECTION_SHA256}, _EMPTY[name])
    if is_empty != (section["snapshot_sha256"] == EMPTY_SECTION_SHA256):
        raise FailedError(f"a snapshot's {name} and its snapshot_sha256 disagree")
    return not is_empty


def _dates(subject: Subject, bundle: CheckedBundle, events: list[CheckedEvent]) -> None:
    signed_at = instant(subject.bundle["bundle_signature"], "signed_at")
    receipts = [
        event.payload.receipt for event in events if isinstance(event, CheckedRecordCreated)
    ]
    dated = subject.alias_times.union(
        [get(event, str, "created_at") for event in subject.events],
        [event.signature.signed_at for event in events],
        [receipt.signed_at for receipt in receipts],
    )
    for time in dated:
        if moment(time, "a time") > signed_at:
            raise FailedError(f"{time} stands in it, which is later than its signature")
    submitted = moment(bundle.canonical_record.metadata.submitted_at, "submitted_at")
    if submitted.year < EARLIEST_YEAR:
        raise FailedError(f"submitted before {EARLIEST_YEAR}")
    for receipt in receipts:
        computed = moment(receipt.first_computed_at, "first_computed_at")
        if submitted - computed.replace(microsecond=0) > MAX_CLOCK_ERROR:
            raise FailedError(f"submitted {MAX_CLOCK_ERROR.days} days after it was computed")


def _links(subject: Subject, bundle: CheckedBundle, _events: list[CheckedEvent]) -> None:
    suffix = subject.pith_id.suffix
    base_url = get(bundle.links, str, "resolver").removesuffix(f"/pith/{suffix}")
    urls = links(base_url, suffix)
    if bundle.links != urls or not WEB_BASE.fullmatch(base_url):
        raise FailedError("links are not the addresses of this record below one base")
    for hint in bundle.mirror_hints:
        own_base, status = get(hint, str, "base_url"), get(hint, str, "status")
        name = get(hint, str, "name")
        own_urls = urls if own_base == base_url else links(own_base, suffix)
        due = {**mirror_hint(name, own_base, own_urls), "status": status}
        if hint != due or not (name and status and WEB_BASE.fullmatch(own_base)):
            raise FailedError("a mirror hint is not of this record below its own base_url")
        if status == "primary" and own_base != base_url:
            raise FailedError("the primary mirror is not where the links lead")


def _timestamp_proofs(
    _subject: Subject, bundle: CheckedBundle, _events: list[CheckedEvent]
) -> None:
    if bundle.timestamp_proofs:
        raise UncheckedError(f"{len(bundle.timestamp_proofs)} of no kind that is known")


PART_CHECKS: tuple[tuple[str, Callable[[Subject], None]], ...] = (
    ("schema", _schema),
    ("signers", _of_typed(_signers)),
    ("payloads", _of_typed(_payloads)),
    ("sections", _of_typed(_sections)),
    ("dates", _of_typed(_dates)),
    ("links", _of_typed(_links)),
    ("timestamp_proofs", _of_typed(_timestamp_proofs)),
)
"""The checks of every bundle after those that recompute, in this order."""
