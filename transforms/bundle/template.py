"""Issuing papers by the thousand: the bytes of a plain bundle, cut at what differs by paper.

All first bundles of one issuer at one moment are alike but for some twenty texts: hashes,
signatures, names, the record and what is shown. So a specimen is issued once by `bundle.issue`,
which alone knows the format; its bytes are cut where those texts stand, and each paper's own are
put in their places.
"""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any

from transforms.bundle.build import Draft, IssueTimes, bundle_bytes, draft, issue, signed_bytes
from transforms.bundle.events import content_bytes
from transforms.bundle.rows import BundleRow, EventRow, event_row
from transforms.bundle.state import hashed_bytes
from transforms.encoding.canonical import sha256, write_compact
from transforms.paper.paper import Paper, Version
from transforms.signing import Issuer, encode_base64

_RECORD, _RECORD_JSON, _SHOWN, _SHOWN_JSON = range(4)
_ID, _VERSION, _SOURCE_VERSION, _ID_VERSION = range(4, 8)
_NUMBER, _SHORT, _SUFFIX, _SUFFIX_16, _SUFFIX_12, _SUFFIX_8 = range(8, 14)
_DIGEST, _RECEIPT_SIGNATURE = range(14, 16)
_CREATED_ID, _CREATED_SIGNATURE, _CREATED = range(16, 19)
_SNAPSHOT_ID, _SNAPSHOT_SIGNATURE, _SNAPSHOT = range(19, 22)
_STATE_SHA256, _BUNDLE_SHA256, _BUNDLE_SIGNATURE = range(22, 25)
_SLOTS = 25
_WITHIN_EVENTS = tuple(slot for slot in range(_SLOTS) if slot not in {_CREATED, _SNAPSHOT})

_Write = Callable[[list[bytes]], bytes]


class Stencil:
    """Issues the first bundles of one issuer at one moment, the same bytes as `issue` gives."""

    def __init__(self, issuer: Issuer, times: IssueTimes) -> None:
        """Cut a specimen, and make sure that another paper comes out right."""
        self._sign = issuer.signer.sign
        self._issued_at = times.built_at
        drafted = draft(_SPECIMEN)
        bundle = issue(drafted, issuer=issuer, times=times)
        self._pool: list[bytes] = [b""] * _SLOTS
        texts = _texts_of(bundle, drafted)
        created, snapshot = bundle["events"]

        def cut(data: bytes, slots: Iterable[int] = _WITHIN_EVENTS) -> _Write:
            return _cut(data, texts, slots, self._pool)

        self._created_content = cut(content_bytes(created))
        self._snapshot_content = cut(content_bytes(snapshot))
        self._created = cut(write_compact(created))
        self._snapshot = cut(write_compact(snapshot))
        self._state = cut(hashed_bytes(bundle["state"]))
        self._signed = cut(signed_bytes(bundle))
        # The bundle has both events as they are, so these are put in whole.
        self._bundle = cut(bundle_bytes(bundle), range(_SLOTS))
        self._rows = [event_row(event, arxiv_id=_SPECIMEN.id) for event in bundle["events"]]
        other = draft(_OTHER)
        plain = bundle_bytes(issue(other, issuer=issuer, times=times))
        if self.issue(other)[-1].bundle != plain:
            raise AssertionError("a first bundle differs by paper in more than is known here")

    def issue(self, drafted: Draft) -> tuple[EventRow, EventRow, BundleRow]:
        """Return the two events and the bundle of a draft whose number was never issued before."""
        pool = self._pool.copy()
        _fill(pool, drafted)
        pool[_RECEIPT_SIGNATURE] = self._signature(drafted.pith_id.digest)
        created_id = self._seal(pool, self._created_content, _CREATED_ID, _CREATED_SIGNATURE)
        snapshot_id = self._seal(pool, self._snapshot_content, _SNAPSHOT_ID, _SNAPSHOT_SIGNATURE)
        pool[_CREATED] = self._created(pool)
        pool[_SNAPSHOT] = self._snapshot(pool)
        pool[_STATE_SHA256] = sha256(self._state(pool)).hex().encode()
        bundle_sha256 = self._seal(pool, self._signed, _BUNDLE_SHA256, _BUNDLE_SIGNATURE)
        paper, number = drafted.paper, drafted.pith_id.number
        ids = ((created_id, pool[_CREATED]), (snapshot_id, pool[_SNAPSHOT]))
        first, second = (
            EventRow(f"sha256:{event_id}", row.event_type, number, paper.id, *row[4:-1], event)
            for row, (event_id, event) in zip(self._rows, ids, strict=True)
        )
        bundle = BundleRow(
            number,
            paper.id,
            paper.version,
            drafted.pith_id.digest.hex(),
            drafted.shown_sha256.hex(),
            bundle_sha256,
            len(self._rows),
            self._issued_at,
            self._bundle(pool),
        )
        return first, second, bundle

    def _seal(self, pool: list[bytes], write: _Write, hashed: int, signed: int) -> str:
        """Put the hash of what `write` writes, and the signature of that, into their slots."""
        digest = sha256(write(pool))
        text = digest.hex()
        pool[hashed] = text.encode()
        pool[signed] = self._signature(digest)
        return text

    def _signature(self, digest: bytes) -> bytes:
        return encode_base64(self._sign(digest)).encode()


_LONG_AGO = datetime(2999, 1, 2, 3, 4, 5, tzinfo=UTC)
_SPECIMEN = Paper(
    id="specimen/9999999",
    versions=(Version(9876, _LONG_AGO),),
    title="a specimen's title",
    abstract="a specimen's abstract",
    authors="A. Specimen",
    categories=("specimen.AB", "specimen.CD"),
    license="a specimen's licence",
)
_OTHER = Paper(
    id="2901.00001",
    versions=(Version(1, _LONG_AGO),),
    title='"Another" \\ title',
    abstract="Ein anderes Abstract, länger als nötig. " * 40,
    authors="B. Other",
    categories=("other",),
)


def _fill(pool: list[bytes], drafted: Draft) -> None:
    """Put into their slots what the paper's metadata alone decides."""
    paper, pith_id = drafted.paper, drafted.pith_id
    pool[_RECORD] = write_compact(drafted.record)
    pool[_RECORD_JSON] = drafted.record_json
    pool[_SHOWN] = write_compact(drafted.shown)
    pool[_SHOWN_JSON] = drafted.shown_json
    pool[_ID] = arxiv_id = paper.id.encode()
    # With its key, for the number alone might stand in a hash.
    pool[_VERSION] = b'"version":%d' % paper.version
    pool[_SOURCE_VERSION] = b'"source_version":%d' % paper.version
    pool[_ID_VERSION] = b"%bv%d" % (arxiv_id, paper.version)
    pool[_NUMBER] = pith_id.number.encode()
    pool[_SHORT] = pith_id.short_number.encode()
    pool[_SUFFIX] = suffix = pith_id.suffix.encode()
    pool[_SUFFIX_16] = suffix[:16]
    pool[_SUFFIX_12] = suffix[:12]
    pool[_SUFFIX_8] = suffix[:8]
    pool[_DIGEST] = pith_id.digest.hex().encode()


def _texts_of(bundle: dict[str, Any], drafted: Draft) -> list[bytes]:
    """Return what stands in a bundle's slots."""
    created, snapshot = bundle["events"]
    receipt, signature = created["payload"]["receipt"], bundle["bundle_signature"]
    texts = [b""] * _SLOTS
    _fill(texts, drafted)
    texts[_RECEIPT_SIGNATURE] = receipt["signature_b64"].encode()
    texts[_CREATED_ID] = created["content_sha256"].encode()
    texts[_CREATED_SIGNATURE] = created["signature"]["signature_b64"].encode()
    texts[_CREATED] = write_compact(created)
    texts[_SNAPSHOT_ID] = snapshot["content_sha256"].encode()
    texts[_SNAPSHOT_SIGNATURE] = snapshot["signature"]["signature_b64"].encode()
    texts[_SNAPSHOT] = write_compact(snapshot)
    texts[_STATE_SHA256] = bundle["state"]["state_sha256"].encode()
    texts[_BUNDLE_SHA256] = signature["bundle_sha256"].encode()
    texts[_BUNDLE_SIGNATURE] = signature["signature_b64"].encode()
    return texts


def _cut(data: bytes, texts: Sequence[bytes], slots: Iterable[int], pool: list[bytes]) -> _Write:
    """Return what writes `data` out of a pool with another paper's texts in `slots`.

    It is cut at `texts`, longest first, since some are part of others; what stands between goes
    into `pool`.
    """
    pieces: list[bytes | int] = [data]
    for slot in sorted(slots, key=lambda slot: len(texts[slot]), reverse=True):
        pieces = [part for piece in pieces for part in _split(piece, texts[slot], slot)]
    order = []
    for piece in pieces:
        if isinstance(piece, bytes):
            pool.append(piece)
        order.append(piece if isinstance(piece, int) else len(pool) - 1)
    pick = itemgetter(*order)
    return lambda pool: b"".join(pick(pool))


def _split(piece: bytes | int, text: bytes, slot: int) -> list[bytes | int]:
    """Split bytes at each `text`, which becomes `slot`; a slot stays what it is."""
    if isinstance(piece, int):
        return [piece]
    parts: list[bytes | int] = []
    for between in piece.split(text):
        parts += [slot, between] if between else [slot]
    return parts[1:]
