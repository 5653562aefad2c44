"""The page of a record: what its bundle says, and what the tables know of its paper besides."""

import json
from collections.abc import Container, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from flows.common.errors import StoreError
from flows.registry.reader import RegistryReader
from flows.store.catalog.records import KnownRecord
from flows.store.parquet.shards import read_rows_of
from transforms.documents.bundle import Bundle
from transforms.documents.event import is_created, is_snapshot
from transforms.encoding.timestamps import from_text
from transforms.registry.addresses import record_addresses
from transforms.registry.citation import CitedPaper, bibtex, csl_json, scholarly_article
from transforms.registry.history import Change, snapshot_history
from transforms.registry.record_document import VerificationStatus, verification_status

_COLUMNS = [
    "authors", "author_names", "abstract", "comments", "journal_ref", "doi", "report_no",
    "msc_class", "acm_class", "withdrawn", "versions", "datestamp",
]  # fmt: skip
_Piece = tuple[str, str]

LONGEST_COMPARED = 4000
"""Characters of which the changed words are shown; the time of comparing grows with the square."""

_COMPLETENESS = {
    "content_addressed": "Content-addressed: the number follows from the record",
    "pith_receipt": "Receipt signed by the registry",
    "graph_snapshot": "Snapshot of the paper's metadata",
    "author_attested": "Attested by an author",
    "externally_anchored": "Anchored in time outside the registry",
    "storage_verified": "Stored copies verified",
    "references_resolved": "References resolved",
    "formal_links_present": "Linked to formal proofs",
}
_COUNTED = {
    "weak_author_claims": "weak author claims",
    "strong_author_claims": "strong author claims",
    "citation_signatures": "citation signatures",
    "replication_records": "replication records",
}


@dataclass(frozen=True, slots=True)
class RecordContext:
    """What is known of a record besides its bundle; `row` is its row in the papers table, if any.

    `records` are all of the paper, the newest last: of other versions, or of this one with another
    title, abstract, licence or category.
    """

    row: Mapping[str, Any]
    records: Sequence[KnownRecord]
    has_vanished: bool


def read_context(reader: RegistryReader, record: KnownRecord) -> RecordContext:
    """Return what catalog and tables know of a record's paper."""
    with reader.catalog() as catalog:
        records = catalog.of_arxiv_id(record.arxiv_id)
        has_vanished = catalog.has_vanished(record.arxiv_id)
    row: dict[str, Any] = {}
    # A shard that was mended may lack the row, or have it in another place.
    with suppress(StoreError):
        numbers = {record.shard_row: record.pith_number}
        for _, values in read_rows_of(reader.layout, "papers", record.shard, _COLUMNS, numbers):
            row = dict(zip(_COLUMNS, values, strict=True))
    return RecordContext(row, records, has_vanished)


def record_values(bundle: Bundle, context: RecordContext, base_url: str) -> dict[str, object]:
    """Return what the template of the record's page shows."""
    current = bundle["state"]["current"]
    snapshots = current["graph_snapshots"]
    paper = snapshots[-1]["payload"]["graph_snapshot"]["paper"] if snapshots else None
    suffix = bundle["pith_number"].rpartition(":")[2]
    status = verification_status(bundle["state"])
    cited = _cited(bundle, context, record_addresses(base_url, suffix).page)
    abstract = context.row.get("abstract") or (paper["abstract_excerpt"] if paper else "")
    return {
        "bundle": bundle,
        "paper": paper,
        "row": context.row,
        "cited": cited,
        "abstract": abstract,
        "paths": record_addresses("", suffix),
        "addresses": record_addresses(base_url, suffix),
        "suffix": suffix,
        "badges": _badges(status),
        "completeness": _stated(status, _COMPLETENESS),
        "counted": _stated(status, _COUNTED),
        "receipt": _receipt(bundle),
        "history": _history(bundle),
        "events": _events(bundle),
        "unknown_events": sum(
            not (is_created(one) or is_snapshot(one)) for one in bundle["events"]
        ),
        "citations": [("BibTeX", bibtex(cited)), ("CSL-JSON", _indented(csl_json(cited)))],
        "canonical_json": _indented(bundle["canonical_record"]),
        "json_ld": scholarly_article(cited, abstract),
        "others": [one for one in context.records if one.pith_number != bundle["pith_number"]],
        "newest": context.records[-1],
        "has_vanished": context.has_vanished,
    }


def _indented(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _cited(bundle: Bundle, context: RecordContext, page: str) -> CitedPaper:
    """Return the paper to be cited; names in arXiv's order where the tables have them."""
    record, snapshots = bundle["canonical_record"], bundle["state"]["current"]["graph_snapshots"]
    metadata = record["metadata"]
    paper = snapshots[-1]["payload"]["graph_snapshot"]["paper"] if snapshots else None
    names = context.row.get("author_names") or []
    return CitedPaper(
        arxiv_id=record["source"]["id"],
        version=record["source"]["version"],
        pith_number=bundle["pith_number"],
        page=page,
        title=paper["title"] if paper else bundle["pith_number"],
        authors=names or (paper["authors_text"].split(", ") if paper else []),
        submitted_at=from_text(metadata["submitted_at"]),
        categories=[metadata["primary_cat"], *metadata["cross_cats_sorted"]],
        license=metadata["license"],
    )


def _stated(status: VerificationStatus, texts: Mapping[str, str]) -> list[tuple[str, object]]:
    values: Mapping[str, object] = dict(status)
    return [(text, values[name]) for name, text in texts.items()]


def _badges(status: VerificationStatus) -> list[tuple[str, bool, str]]:
    """Return the four badges: what is stated, whether it is so, and what that means."""
    return [
        ("attested", status["author_attested"], "an author has confirmed the record"),
        ("anchored", status["externally_anchored"], "a third party has dated the record"),
        ("stored", status["storage_verified"], "stored copies of the paper were checked"),
        ("references", status["references_resolved"], "the references were resolved"),
    ]


def _receipt(bundle: Bundle) -> Mapping[str, Any] | None:
    """Return receipt and signer of the newest active `record_created`, None without one."""
    created = bundle["state"]["current"]["record_created"]
    if created is None:
        return None
    return {**created["payload"]["receipt"], "signer_id": created["signer"]["signer_id"]}


def _history(bundle: Bundle) -> list[tuple[str, str, bool, list[tuple[str, list[_Piece]]]]]:
    """Return of each snapshot its id, its time, whether it is the first, and what changed."""
    return [
        (one.event_id, one.created_at, one.is_first, [(c.name, _compared(c)) for c in one.changes])
        for one in snapshot_history(bundle)
    ]


def _compared(change: Change) -> list[_Piece]:
    """Return a change as pieces of text: `same`, `gone` and `new` words."""
    before, after = change.before.split(" "), change.after.split(" ")
    if len(change.before) + len(change.after) > LONGEST_COMPARED:
        return [("gone", change.before), ("new", change.after)]
    pieces: list[_Piece] = []
    for kind, a, b, c, d in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind == "equal":
            pieces.append(("same", " ".join(before[a:b])))
            continue
        pieces += [("gone", " ".join(before[a:b]))] if b > a else []
        pieces += [("new", " ".join(after[c:d]))] if d > c else []
    return pieces


def _events(bundle: Bundle) -> list[Mapping[str, object]]:
    """Return the events as the page lists them, of whichever type, in their order."""
    reasons = {one["event_id"]: one["reason"] for one in bundle["state"]["invalid_events"]}
    replaced = {old for event in bundle["events"] for old in event["supersedes"]}
    rows: list[Mapping[str, object]] = []
    for event in bundle["events"]:
        signature: Mapping[str, object] = dict(event.get("signature") or {})
        rows.append(
            {
                "type": event["event_type"],
                "is_known": is_created(event) or is_snapshot(event),
                "created_at": event["created_at"],
                "id": event["event_id"],
                "signer": event["signer"].get("signer_id"),
                "key": signature.get("key_id"),
                "supersedes": len(event["supersedes"]),
                "state": _state(event["event_id"], replaced, reasons),
            }
        )
    return rows


def _state(event_id: str, replaced: Container[str], reasons: Mapping[str | None, str]) -> str:
    if event_id in reasons:
        return f"invalid: {reasons[event_id]}"
    return "superseded" if event_id in replaced else "active"
