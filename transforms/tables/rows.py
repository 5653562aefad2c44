"""Rows of the four tables: `papers`, `events`, `bundles`, `rejects` (design, what is kept).

A row's fields are the table's columns, in their order; the store gives them their Parquet types.
"""

from datetime import date, datetime
from typing import NamedTuple

from transforms.bundle.build import Draft, bundle_bytes
from transforms.documents.bundle import Bundle
from transforms.documents.event import Event
from transforms.encoding.canonical import compact_json_unchecked
from transforms.encoding.digest import Digest, to_hex
from transforms.encoding.timestamps import from_text
from transforms.paper.authors import author_names
from transforms.paper.paper import Reject, Version
from transforms.paper.search_keys import ascii_key


class PaperRow(NamedTuple):
    """What arXiv said of a paper, with its record's hashes and number.

    `source` names the unit of input that it was read from, such as a page's sha256.
    """

    arxiv_id: str
    version: int
    pith_number: str
    canonical_sha256: str
    title_canon_sha256: str
    abstract_canon_sha256: str
    title: str
    title_ascii: str
    abstract: str
    authors: str
    authors_ascii: str
    author_names: list[str]
    primary_category: str
    cross_lists: tuple[str, ...]
    license: str
    submitted_at: datetime
    versions: tuple[Version, ...]
    withdrawn: bool
    submitter: str | None
    comments: str | None
    journal_ref: str | None
    doi: str | None
    report_no: str | None
    msc_class: str | None
    acm_class: str | None
    datestamp: date | None
    source: str
    issued_at: datetime


class EventRow(NamedTuple):
    """One signed event of the event log; `event` holds its exact bytes."""

    event_id: str
    event_type: str
    pith_number: str
    arxiv_id: str
    target: str
    created_at: datetime
    signed_at: datetime
    signer_id: str
    key_id: str
    supersedes: list[str]
    prev_event: str | None
    event: bytes


class BundleRow(NamedTuple):
    """One bundle and its exact bytes.

    `shown_sha256` (hex) is of what its newest snapshot shows: a paper that shows the same again
    is unchanged.
    """

    pith_number: str
    arxiv_id: str
    version: int
    canonical_sha256: str
    shown_sha256: str
    bundle_sha256: str
    event_count: int
    issued_at: datetime
    bundle: bytes


class RejectRow(NamedTuple):
    """What could not be used: where it stood, why, and its bytes as they came."""

    source: str
    position: int
    arxiv_id: str | None
    reason: str
    raw: bytes


def paper_row(drafted: Draft, *, source: str, issued_at: datetime) -> PaperRow:
    """Return the row of a paper and its record."""
    paper, metadata = drafted.paper, drafted.record["metadata"]
    names = author_names(paper.authors)
    return PaperRow(
        paper.id,
        paper.version,
        drafted.pith_id.number,
        to_hex(drafted.pith_id.digest),
        metadata["title_canon_sha256"],
        metadata["abstract_canon_sha256"],
        paper.title,
        ascii_key(paper.title),
        paper.abstract,
        paper.authors,
        ascii_key(", ".join(names) or paper.authors),
        names,
        paper.categories[0],
        paper.categories[1:],
        paper.license,
        paper.submitted_at,
        paper.versions,
        paper.withdrawn,
        paper.submitter,
        paper.comments,
        paper.journal_ref,
        paper.doi,
        paper.report_no,
        paper.msc_class,
        paper.acm_class,
        paper.datestamp,
        source,
        issued_at,
    )


def event_row(event: Event, *, arxiv_id: str) -> EventRow:
    """Return the row of one signed event of a paper."""
    return EventRow(
        event["event_id"],
        event["event_type"],
        event["subject_pith_number"],
        arxiv_id,
        event["target"],
        from_text(event["created_at"]),
        from_text(event["signature"]["signed_at"]),
        event["signer"]["signer_id"],
        event["signature"]["key_id"],
        event["supersedes"],
        event["prev_event"],
        compact_json_unchecked(event),
    )


def bundle_row(bundle: Bundle, *, snapshot_sha256: Digest, issued_at: datetime) -> BundleRow:
    """Return the row of one bundle."""
    source = bundle["canonical_record"]["source"]
    return BundleRow(
        bundle["pith_number"],
        source["id"],
        source["version"],
        bundle["canonical_sha256"],
        to_hex(snapshot_sha256),
        bundle["bundle_signature"]["bundle_sha256"],
        len(bundle["events"]),
        issued_at,
        bundle_bytes(bundle),
    )


def reject_row(reject: Reject, *, source: str) -> RejectRow:
    """Return the row of one reject."""
    return RejectRow(source, reject.position, reject.arxiv_id, reject.reason, reject.raw)
