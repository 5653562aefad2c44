"""The Parquet schemas of the tables: a row of `transforms.tables.rows` each, and two of our own.

`vanished` and `windows` are about harvests, not about papers' text, and so are made in the shell.
"""

from datetime import date, datetime
from typing import NamedTuple

import pyarrow as pa


class VanishedRow(NamedTuple):
    """A paper that arXiv has no more, and when that was noticed."""

    arxiv_id: str
    noticed_at: datetime
    source: str


class WindowRow(NamedTuple):
    """The outcome of a window that was proven complete, as arXiv listed it at `listed_at`.

    What it proves for good are its days that were over then.
    """

    set_spec: str
    first: date | None
    until: date | None
    started_at: datetime
    listed_at: datetime
    listed: int
    harvested: int
    recovered: int
    vanished: int
    left: int


_MOMENT = pa.timestamp("us", tz="UTC")
# Parquet knows no coarser unit than this for whole seconds.
_SECOND = pa.timestamp("ms", tz="UTC")


def _required(name: str, kind: pa.DataType) -> pa.Field:
    return pa.field(name, kind, nullable=False)


_VERSION = pa.struct(
    [
        _required("number", pa.int32()),
        _required("created_at", _SECOND),
        pa.field("size", pa.string()),
        pa.field("source_type", pa.string()),
    ]
)

SCHEMAS: dict[str, pa.Schema] = {
    "papers": pa.schema(
        [
            _required("arxiv_id", pa.string()),
            _required("version", pa.int32()),
            _required("pith_number", pa.string()),
            _required("canonical_sha256", pa.string()),
            _required("title_canon_sha256", pa.string()),
            _required("abstract_canon_sha256", pa.string()),
            _required("title", pa.string()),
            _required("title_ascii", pa.string()),
            _required("abstract", pa.string()),
            _required("authors", pa.string()),
            _required("authors_ascii", pa.string()),
            _required("author_names", pa.list_(pa.string())),
            _required("primary_category", pa.string()),
            _required("cross_lists", pa.list_(pa.string())),
            _required("license", pa.string()),
            _required("submitted_at", _SECOND),
            _required("versions", pa.list_(_VERSION)),
            _required("withdrawn", pa.bool_()),
            pa.field("submitter", pa.string()),
            pa.field("comments", pa.string()),
            pa.field("journal_ref", pa.string()),
            pa.field("doi", pa.string()),
            pa.field("report_no", pa.string()),
            pa.field("msc_class", pa.string()),
            pa.field("acm_class", pa.string()),
            pa.field("datestamp", pa.date32()),
            _required("source", pa.string()),
            _required("issued_at", _MOMENT),
        ]
    ),
    "events": pa.schema(
        [
            _required("event_id", pa.string()),
            _required("event_type", pa.string()),
            _required("pith_number", pa.string()),
            _required("arxiv_id", pa.string()),
            _required("target", pa.string()),
            _required("created_at", _SECOND),
            _required("signed_at", _MOMENT),
            _required("signer_id", pa.string()),
            _required("key_id", pa.string()),
            _required("supersedes", pa.list_(pa.string())),
            pa.field("prev_event", pa.string()),
            _required("event", pa.binary()),
        ]
    ),
    "bundles": pa.schema(
        [
            _required("pith_number", pa.string()),
            _required("arxiv_id", pa.string()),
            _required("version", pa.int32()),
            _required("canonical_sha256", pa.string()),
            _required("shown_sha256", pa.string()),
            _required("bundle_sha256", pa.string()),
            _required("event_count", pa.int32()),
            _required("issued_at", _MOMENT),
            _required("bundle", pa.binary()),
        ]
    ),
    "rejects": pa.schema(
        [
            _required("source", pa.string()),
            _required("position", pa.int64()),
            pa.field("arxiv_id", pa.string()),
            _required("reason", pa.string()),
            _required("raw", pa.binary()),
        ]
    ),
    "vanished": pa.schema(
        [
            _required("arxiv_id", pa.string()),
            _required("noticed_at", _MOMENT),
            _required("source", pa.string()),
        ]
    ),
    "windows": pa.schema(
        [
            _required("set_spec", pa.string()),
            pa.field("first", pa.date32()),
            pa.field("until", pa.date32()),
            _required("started_at", _MOMENT),
            pa.field("listed_at", _MOMENT),  # version 0.1.0 did not keep it
            _required("listed", pa.int64()),
            _required("harvested", pa.int64()),
            _required("recovered", pa.int64()),
            _required("vanished", pa.int64()),
            _required("left", pa.int64()),
        ]
    ),
}

REQUIRED: dict[str, set[str]] = {
    table: {field.name for field in schema if not field.nullable}
    for table, schema in SCHEMAS.items()
}
"""The columns that every shard has; one that is added later must be nullable."""

REPEATING: dict[str, list[str]] = {
    "papers": ["version", "primary_category", "license", "withdrawn", "source", "issued_at"],
    "events": [
        "event_type", "target", "created_at", "signed_at", "signer_id", "key_id",
    ],
    "bundles": ["version", "event_count", "issued_at"],
    "rejects": ["source", "reason"],
    "vanished": ["source"],
    "windows": ["set_spec"],
}  # fmt: skip
"""The columns whose values come again and again: written once each, as a dictionary."""

STATISTICS: dict[str, list[str]] = {
    "papers": ["arxiv_id", "version", "primary_category", "submitted_at", "datestamp"],
    "events": ["arxiv_id", "event_type", "created_at"],
    "bundles": ["arxiv_id", "version", "issued_at"],
    "rejects": ["arxiv_id"],
    "vanished": ["arxiv_id"],
    "windows": ["started_at"],
}
"""The columns whose smallest and largest values help a reader to pass over row groups."""

GROUP_ROWS: dict[str, int] = {"bundles": 125}
"""The most rows of a row group, which is the least that a reader takes; else as they are added.

One bundle is read out of 1.6 MB. Measured over 8,000 papers, groups of 500 are 0.8 % less of all
three tables, and take four times as long.
"""
