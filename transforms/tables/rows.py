"""The rows of a paper, its events, its bundle, and of what could not be used."""

from datetime import datetime

from transforms.bundle.build import Draft, bundle_bytes
from transforms.documents.bundle import Bundle
from transforms.documents.event import Event
from transforms.encoding.canonical import compact_json_unchecked
from transforms.encoding.digest import Digest, to_hex
from transforms.encoding.timestamps import from_text
from transforms.paper.authors import author_names
from transforms.paper.paper import Reject
from transforms.paper.search_keys import ascii_key
from transforms.tables.schema import BundleRow, EventRow, PaperRow, RejectRow


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
