"""The tables, each declared once: the fields of its row type are its columns, in their order.

Of these the store makes the Parquet schemas (`flows.store.parquet.schema`), and `docs/tables.md` is
written. To add a column: declare it here with `since` the next `SCHEMA_VERSION`, and give its value
where the row is made (`rows`, for the tables of papers).
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, NamedTuple

from transforms.paper.paper import Version
from transforms.tables.columns import Column

SCHEMA_VERSION = 2
"""Of all tables, as each file's metadata says. Release 0.1.0 wrote 1, without such an entry."""


class VersionItem(NamedTuple):
    """An entry of `papers.versions`: the fields of a `Version`."""

    number: Annotated[int, Column("from 1", kind="int32")]
    created_at: Annotated[datetime, Column("submitted", kind="seconds")]
    size: Annotated[str | None, Column("such as `16kb`")]
    source_type: Annotated[str | None, Column("arXiv's letters for its files")]


class PaperRow(NamedTuple):
    """A paper as arXiv had it, with its record's hashes and number."""

    arxiv_id: Annotated[str, Column("arXiv's id, without a version", bounds=True)]
    version: Annotated[
        int, Column("the newest version's number", kind="int32", repeats=True, bounds=True)
    ]
    pith_number: Annotated[str, Column("the record's number")]
    canonical_sha256: Annotated[str, Column("of the canonical record (hex)")]
    title_canon_sha256: Annotated[str, Column("of the canonical title (hex)")]
    abstract_canon_sha256: Annotated[str, Column("of the canonical abstract (hex)")]
    title: Annotated[str, Column("on one line, TeX kept")]
    title_ascii: Annotated[str, Column("the title to search for")]
    abstract: Annotated[str, Column("without hard wraps, TeX kept")]
    authors: Annotated[str, Column("arXiv's string")]
    authors_ascii: Annotated[str, Column("the names to search for")]
    author_names: Annotated[list[str], Column("the names in arXiv's order, no affiliations")]
    primary_category: Annotated[str, Column("such as `cs.LG`", repeats=True, bounds=True)]
    cross_lists: Annotated[tuple[str, ...], Column("the other categories")]
    license: Annotated[str, Column("an address, empty where arXiv gives none", repeats=True)]
    submitted_at: Annotated[datetime, Column("of version 1", kind="seconds", bounds=True)]
    versions: Annotated[tuple[Version, ...], Column("all of them", items=VersionItem)]
    withdrawn: Annotated[bool, Column("the newest version is arXiv's empty one", repeats=True)]
    submitter: Annotated[str | None, Column("the name of its submitter")]
    comments: Annotated[str | None, Column("the authors' comments")]
    journal_ref: Annotated[str | None, Column("where it was published")]
    doi: Annotated[str | None, Column("of the publication")]
    report_no: Annotated[str | None, Column("the authors' institution's number")]
    msc_class: Annotated[str | None, Column("mathematics subject classes")]
    acm_class: Annotated[str | None, Column("ACM classes, as arXiv's server writes them", since=2)]
    datestamp: Annotated[date | None, Column("the day of the last change", bounds=True)]
    source: Annotated[str, Column("the unit of input, such as a page's sha256", repeats=True)]
    issued_at: Annotated[datetime, Column("when the row's bundle was signed", repeats=True)]


class EventRow(NamedTuple):
    """One signed event of the event log."""

    event_id: Annotated[str, Column("`sha256:` and the hash of the event's content (hex)")]
    event_type: Annotated[str, Column("such as `record_created`", repeats=True, bounds=True)]
    pith_number: Annotated[str, Column("the record that it is about")]
    arxiv_id: Annotated[str, Column("the record's paper", bounds=True)]
    target: Annotated[str, Column("`record` or `graph`", repeats=True)]
    created_at: Annotated[
        datetime, Column("when it was made", kind="seconds", repeats=True, bounds=True)
    ]
    signed_at: Annotated[datetime, Column("when it was signed", repeats=True)]
    signer_id: Annotated[str, Column("who signed it", repeats=True)]
    key_id: Annotated[str, Column("under which key", repeats=True)]
    supersedes: Annotated[list[str], Column("the ids of the events that it replaces")]
    prev_event: Annotated[str | None, Column("the id of the event that it follows")]
    event: Annotated[bytes, Column("its exact bytes")]


class BundleRow(NamedTuple):
    """One signed bundle; of a number, the last one that was committed is the newest."""

    pith_number: Annotated[str, Column("the record's number")]
    arxiv_id: Annotated[str, Column("the record's paper", bounds=True)]
    version: Annotated[int, Column("the paper's version", kind="int32", repeats=True, bounds=True)]
    canonical_sha256: Annotated[str, Column("of the canonical record (hex)")]
    shown_sha256: Annotated[
        str, Column("of the paper in the newest snapshot (hex): the same again is unchanged")
    ]
    bundle_sha256: Annotated[str, Column("what its signature signs (hex)")]
    event_count: Annotated[int, Column("events in it", kind="int32", repeats=True)]
    issued_at: Annotated[datetime, Column("when it was signed", repeats=True, bounds=True)]
    bundle: Annotated[bytes, Column("its exact bytes")]


class RejectRow(NamedTuple):
    """A record or a line that could not be used, and why."""

    source: Annotated[str, Column("the unit of input", repeats=True)]
    position: Annotated[int, Column("records of a reply from 0, lines of a file from 1")]
    arxiv_id: Annotated[str | None, Column("the id that it claims", bounds=True)]
    reason: Annotated[str, Column("why it was refused", repeats=True)]
    raw: Annotated[bytes, Column("its bytes as they came")]


class VanishedRow(NamedTuple):
    """A paper that arXiv has no more."""

    arxiv_id: Annotated[str, Column("the paper", bounds=True)]
    noticed_at: Annotated[datetime, Column("when that was noticed")]
    source: Annotated[str, Column("what noticed it", repeats=True)]


class WindowRow(NamedTuple):
    """The outcome of a window that was proven complete, as arXiv listed it at `listed_at`.

    What it proves for good are its days that were over then.
    """

    set_spec: Annotated[str, Column("arXiv's set, empty for all of arXiv", repeats=True)]
    first: Annotated[date | None, Column("its first day")]
    until: Annotated[date | None, Column("its last day")]
    started_at: Annotated[datetime, Column("when its harvest began", bounds=True)]
    listed_at: Annotated[datetime, Column("when arXiv's list was asked for", since=2)]
    listed: Annotated[int, Column("ids in that list")]
    harvested: Annotated[int, Column("of these, how many the pages had")]
    recovered: Annotated[int, Column("how many came one by one")]
    vanished: Annotated[int, Column("how many arXiv has no more")]
    left: Annotated[int, Column("how many came and belong to a later day by now")]


@dataclass(frozen=True, slots=True)
class Table:
    """A table's row type, and the most rows of a row group, which is the least that is read."""

    row: type[Any]
    group_rows: int | None = None


TABLES: dict[str, Table] = {
    "papers": Table(PaperRow),
    "events": Table(EventRow),
    # One bundle is read out of 1.6 MB. Measured over 8,000 papers, groups of 500 are 0.8 % less of
    # all three tables, and take four times as long.
    "bundles": Table(BundleRow, group_rows=125),
    "rejects": Table(RejectRow),
    "vanished": Table(VanishedRow),
    "windows": Table(WindowRow),
}
