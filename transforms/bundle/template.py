"""Issuing papers by the thousand: the bytes of a plain bundle, cut at what differs by paper.

All first bundles of one issuer at one moment are alike but for some twenty fields: hashes,
signatures, names, the record and the paper of the snapshot. So a sample is issued once by
`build.issue`, which alone knows the format; its bytes are cut where the texts of those fields
stand, and each paper's own are put in their places.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from operator import itemgetter
from typing import Literal, get_args

from transforms.bundle.build import Draft, IssueTimes, bundle_bytes, draft, issue, signed_bytes
from transforms.bundle.events import content_bytes
from transforms.bundle.state import hashed_bytes
from transforms.documents.bundle import Bundle
from transforms.documents.event import is_created
from transforms.encoding.canonical import compact_json_unchecked
from transforms.encoding.digest import sha256, to_hex
from transforms.paper.paper import Paper, Version
from transforms.signing import Issuer, base64_bytes
from transforms.tables.rows import event_row
from transforms.tables.schema import BundleRow, EventRow

_TextField = Literal[
    # of the paper's metadata alone
    "record", "record_json", "snapshot_paper", "snapshot_paper_json",
    "id", "version", "source_version", "id_version",
    "number", "short_number", "suffix", "suffix_16", "suffix_12", "suffix_8", "digest",
    # of what is signed
    "receipt_signature", "created_sha256", "created_signature",
    "snapshot_sha256", "snapshot_signature", "state_sha256", "bundle_sha256", "bundle_signature",
]  # fmt: skip
"""The fields that differ by paper within an event, a state or a bundle."""

_Field = _TextField | Literal["created_event", "snapshot_event"]
"""A bundle has both events as they are, so there these are put in whole."""

_TEXT_FIELDS: tuple[_TextField, ...] = get_args(_TextField)
_ALL_FIELDS: tuple[_Field, ...] = (*_TEXT_FIELDS, "created_event", "snapshot_event")

_Texts = dict[_Field | int, bytes]
"""Each field's bytes by its name, and by a number what stands between fields in the sample."""

_Write = Callable[[_Texts], bytes]


class BundleTemplate:
    """Issues the first bundles of one issuer at one moment, the same bytes as `issue` gives."""

    def __init__(self, issuer: Issuer, times: IssueTimes) -> None:
        """Cut a sample, and make sure that another paper comes out right."""
        self._sign = issuer.signer.sign
        self._issued_at = times.built_at
        drafted = draft(_SAMPLE)
        bundle = issue(drafted, issuer=issuer, times=times)
        self._between: _Texts = {}
        texts = _texts_of(bundle, drafted)
        created, snapshot = bundle["events"]

        def cut(data: bytes, fields: Iterable[_Field] = _TEXT_FIELDS) -> _Write:
            return _cut(data, texts, fields, self._between)

        self._created_content = cut(content_bytes(created))
        self._snapshot_content = cut(content_bytes(snapshot))
        self._created = cut(compact_json_unchecked(created))
        self._snapshot = cut(compact_json_unchecked(snapshot))
        self._state = cut(hashed_bytes(bundle["state"]))
        self._signed = cut(signed_bytes(bundle))
        self._bundle = cut(bundle_bytes(bundle), _ALL_FIELDS)
        rows = [event_row(event, arxiv_id=_SAMPLE.id) for event in bundle["events"]]
        # What lies in a row between the paper's id and the event's bytes is the same for all.
        self._event_count = len(rows)
        self._created_row, self._snapshot_row = ((row.event_type, row[4:-1]) for row in rows)
        other = draft(_OTHER)
        plain = bundle_bytes(issue(other, issuer=issuer, times=times))
        if self.issue(other)[-1].bundle != plain:
            raise AssertionError("a first bundle differs by paper in more than is known here")

    def issue(self, drafted: Draft) -> tuple[EventRow, EventRow, BundleRow]:
        """Return the two events and the bundle of a draft whose number was never issued before."""
        texts = self._between.copy()
        _fill(texts, drafted)
        texts["receipt_signature"] = self._signature(drafted.pith_id.digest)
        created_id = self._seal(texts, self._created_content, "created_sha256", "created_signature")
        snapshot_id = self._seal(
            texts, self._snapshot_content, "snapshot_sha256", "snapshot_signature"
        )
        texts["created_event"] = self._created(texts)
        texts["snapshot_event"] = self._snapshot(texts)
        texts["state_sha256"] = to_hex(sha256(self._state(texts))).encode()
        bundle_sha256 = self._seal(texts, self._signed, "bundle_sha256", "bundle_signature")
        arxiv_id, version = drafted.paper.id, drafted.paper.version
        number, digest = texts["number"].decode(), texts["digest"].decode()
        kind, same = self._created_row
        event_id = f"sha256:{created_id}"
        first = EventRow(event_id, kind, number, arxiv_id, *same, texts["created_event"])
        kind, same = self._snapshot_row
        event_id = f"sha256:{snapshot_id}"
        second = EventRow(event_id, kind, number, arxiv_id, *same, texts["snapshot_event"])
        bundle = BundleRow(
            number,
            arxiv_id,
            version,
            digest,
            to_hex(drafted.snapshot_sha256),
            bundle_sha256,
            self._event_count,
            self._issued_at,
            self._bundle(texts),
        )
        return first, second, bundle

    def _seal(
        self, texts: _Texts, write: _Write, hash_field: _Field, signature_field: _Field
    ) -> str:
        """Put the hash of what `write` writes, and its signature, into their fields."""
        digest = sha256(write(texts))
        text = to_hex(digest)
        texts[hash_field] = text.encode()
        texts[signature_field] = self._signature(digest)
        return text

    def _signature(self, digest: bytes) -> bytes:
        return base64_bytes(self._sign(digest))


_SAMPLE_MOMENT = datetime(2999, 1, 2, 3, 4, 5, tzinfo=UTC)
_SAMPLE = Paper(
    id="sample/9999999",
    versions=(Version(9876, _SAMPLE_MOMENT),),
    title="a sample's title",
    abstract="a sample's abstract",
    authors="A. Sample",
    categories=("sample.AB", "sample.CD"),
    license="a sample's licence",
)
_OTHER = Paper(
    id="2901.00001",
    versions=(Version(1, _SAMPLE_MOMENT),),
    title='"Another" \\ title',
    abstract="Ein anderes Abstract, länger als nötig. " * 40,
    authors="B. Other",
    categories=("other",),
)


def _fill(texts: _Texts, drafted: Draft) -> None:
    """Put into their fields what the paper's metadata alone decides."""
    paper, pith_id = drafted.paper, drafted.pith_id
    texts["record"] = compact_json_unchecked(drafted.record)
    texts["record_json"] = drafted.record_json
    texts["snapshot_paper"] = compact_json_unchecked(drafted.snapshot_paper)
    texts["snapshot_paper_json"] = drafted.snapshot_paper_json
    texts["id"] = arxiv_id = paper.id.encode()
    version = paper.version
    # With its key, for the number alone might stand in a hash.
    texts["version"] = b'"version":%d' % version
    texts["source_version"] = b'"source_version":%d' % version
    texts["id_version"] = b"%bv%d" % (arxiv_id, version)
    texts["number"] = pith_id.number.encode()
    texts["short_number"] = pith_id.short_number.encode()
    texts["suffix"] = suffix = pith_id.suffix.encode()
    texts["suffix_16"] = suffix[:16]
    texts["suffix_12"] = suffix[:12]
    texts["suffix_8"] = suffix[:8]
    texts["digest"] = to_hex(pith_id.digest).encode()


def _texts_of(bundle: Bundle, drafted: Draft) -> Mapping[_Field | int, bytes]:
    """Return what stands in a bundle's fields."""
    texts: _Texts = {}
    _fill(texts, drafted)
    for event in bundle["events"]:
        hashed, signed = event["content_sha256"].encode(), event["signature"]["signature_b64"]
        if is_created(event):
            receipt = event["payload"]["receipt"]
            texts["receipt_signature"] = receipt["signature_b64"].encode()
            texts["created_sha256"], texts["created_signature"] = hashed, signed.encode()
            texts["created_event"] = compact_json_unchecked(event)
        else:
            texts["snapshot_sha256"], texts["snapshot_signature"] = hashed, signed.encode()
            texts["snapshot_event"] = compact_json_unchecked(event)
    signature = bundle["bundle_signature"]
    texts["state_sha256"] = bundle["state"]["state_sha256"].encode()
    texts["bundle_sha256"] = signature["bundle_sha256"].encode()
    texts["bundle_signature"] = signature["signature_b64"].encode()
    return texts


def _cut(
    data: bytes,
    texts: Mapping[_Field | int, bytes],
    fields: Iterable[_Field],
    between: _Texts,
) -> _Write:
    """Return what writes `data` with another paper's texts in `fields`.

    It is cut at `texts`, longest first, since some are part of others; what stands between goes
    into `between`.
    """
    pieces: list[bytes | _Field] = [data]
    for field in sorted(fields, key=lambda field: len(texts[field]), reverse=True):
        pieces = [part for piece in pieces for part in _split(piece, texts[field], field)]
    order: list[_Field | int] = []
    for piece in pieces:
        if isinstance(piece, bytes):
            between[len(between)] = piece
            order.append(len(between) - 1)
        else:
            order.append(piece)
    pick = itemgetter(*order)
    return lambda texts: b"".join(pick(texts))


def _split(piece: bytes | _Field, text: bytes, field: _Field) -> list[bytes | _Field]:
    """Return bytes split at each `text`, which becomes `field`; a field stays what it is."""
    if not isinstance(piece, bytes):
        return [piece]
    parts: list[bytes | _Field] = []
    for between in piece.split(text):
        parts += [field, between] if between else [field]
    return parts[1:]
