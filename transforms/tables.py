"""Rows of the four tables: `papers`, `events`, `bundles`, `rejects` (design, what is kept).

A row is a dict whose keys are the table's columns; the store gives them their Parquet types.
"""

from typing import Any

from transforms.canon import write_compact
from transforms.instants import from_text
from transforms.paper import Paper, Reject, author_names
from transforms.search_keys import ascii_key


def paper_row(paper: Paper, bundle: dict[str, Any], *, source: str) -> dict[str, Any]:
    """Return what arXiv said of a paper, with its record's hashes and number.

    `source` names the unit of input that it was read from, such as a page's sha256.
    """
    metadata = bundle["canonical_record"]["metadata"]
    primary, *cross_lists = paper.categories
    return {
        "arxiv_id": paper.id,
        "version": paper.version,
        "pith_number": bundle["pith_number"],
        "canonical_sha256": bundle["canonical_sha256"],
        "title_canon_sha256": metadata["title_canon_sha256"],
        "abstract_canon_sha256": metadata["abstract_canon_sha256"],
        "title": paper.title,
        "title_ascii": ascii_key(paper.title),
        "abstract": paper.abstract,
        "authors": paper.authors,
        "authors_ascii": ascii_key(paper.authors),
        "author_names": author_names(paper.authors),
        "primary_category": primary,
        "cross_lists": cross_lists,
        "license": paper.license,
        "submitted_at": paper.submitted_at,
        "versions": [
            {
                "number": version.number,
                "created_at": version.created,
                "size": version.size,
                "source_type": version.source_type,
            }
            for version in paper.versions
        ],
        "withdrawn": paper.withdrawn,
        "submitter": paper.submitter,
        "comments": paper.comments,
        "journal_ref": paper.journal_ref,
        "doi": paper.doi,
        "report_no": paper.report_no,
        "msc_class": paper.msc_class,
        "datestamp": paper.datestamp,
        "source": source,
        "issued_at": _issued_at(bundle),
    }


def event_row(event: dict[str, Any], *, arxiv_id: str) -> dict[str, Any]:
    """Return one signed event as a row of the event log; `event` holds its exact bytes."""
    return {
        "event_id": event["event_id"],
        "event_type": event["event_type"],
        "pith_number": event["subject_pith_number"],
        "arxiv_id": arxiv_id,
        "target": event["target"],
        "created_at": from_text(event["created_at"]),
        "signed_at": from_text(event["signature"]["signed_at"]),
        "signer_id": event["signer"]["signer_id"],
        "key_id": event["signature"]["key_id"],
        "supersedes": event["supersedes"],
        "prev_event": event["prev_event"],
        "event": write_compact(event),
    }


def bundle_row(bundle: dict[str, Any], data: bytes, *, shown_sha256: str) -> dict[str, Any]:
    """Return one bundle as a row; `data` is what `bundle_bytes` gave for it.

    `shown_sha256` (hex) is of what its newest snapshot shows: a paper that shows the same again
    is unchanged.
    """
    source = bundle["canonical_record"]["source"]
    return {
        "pith_number": bundle["pith_number"],
        "arxiv_id": source["id"],
        "version": source["version"],
        "canonical_sha256": bundle["canonical_sha256"],
        "shown_sha256": shown_sha256,
        "bundle_sha256": bundle["bundle_signature"]["bundle_sha256"],
        "event_count": len(bundle["events"]),
        "issued_at": _issued_at(bundle),
        "bundle": data,
    }


def reject_row(reject: Reject, *, source: str) -> dict[str, Any]:
    """Return what could not be used, where it stood, why, and its bytes as they came."""
    return {
        "source": source,
        "position": reject.position,
        "arxiv_id": reject.arxiv_id,
        "reason": reject.reason,
        "raw": reject.raw,
    }


def _issued_at(bundle: dict[str, Any]) -> object:
    return from_text(bundle["bundle_signature"]["signed_at"])
