"""The command `find`: papers by words of their titles or authors, or by what names them."""

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import ConfigOption, DataOption, JsonOption, load
from flows.cli.output.answer import answer
from flows.cli.output.blocks import Block, Column, Table
from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import Line, echo

if TYPE_CHECKING:
    from flows.common.config import Config
    from flows.store.layout import Layout
    from flows.store.search.scan import Matches, MatchingPaper
    from transforms.paper.reference import Reference

_NUMBER = Column("Pith Number", whole=True)
_COLUMNS = [
    Column("arXiv", whole=True),
    Column("year", whole=True),
    _NUMBER,
    Column("title"),
    Column("authors"),
]
_WIDE = 120
"""Columns of a terminal from which on titles have room beside Pith Numbers, too."""


@dataclass(frozen=True, slots=True)
class FoundPaper:
    """A paper in the answer: its newest record that matches, `authors` in arXiv's order."""

    arxiv_id: str
    version: int
    pith_number: str
    title: str
    authors: Sequence[str]
    primary_category: str
    submitted_at: datetime
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class FoundPapers:
    """What `find --json` prints: how many papers match, and the newest of them."""

    text: str
    count: int
    papers: Sequence[FoundPaper]


def find(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT]...",
            help='Words of title or authors, a "phrase" in quotes, or what names a paper: an '
            "arXiv id, a link, a DOI of arXiv's, a Pith Number, a citation; all papers if none.",
        ),
    ] = None,
    *,
    limit: Annotated[int, typer.Option(min=1, help="How many papers to list at the most.")] = 20,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Find papers by words of their title or authors, or by what names them; the newest first.

    A word is found where one begins so, with accents or without. Exit status: 1 if none matches.

    Examples:
        pith-ingest find schrodinger
        pith-ingest find 'bottou "gradient descent"' --limit 50
        pith-ingest find https://arxiv.org/abs/1906.10822
        pith-ingest find --json gossip --data data/demo
    """
    words = " ".join(text or [])
    if not print_matches(load(config, data), words, limit, as_json=as_json):
        raise typer.Exit(ExitStatus.PROBLEMS)


def print_matches(config: "Config", text: str, limit: int, *, as_json: bool = False) -> bool:
    """Print the papers that `text` names, or else those that match it, and return whether any do.

    What to try instead goes to standard error, as does how many more there are.
    """
    from flows.ingest.worker_context import layout_of

    layout = layout_of(config)
    found, reasons = _named(layout, text)
    if not found.papers:
        found = _matching(layout, text, limit)
    document = FoundPapers(text, found.count, [_document(paper) for paper in found.papers])
    answer(document, _blocks(found.papers), as_json=as_json)
    for line in _remarks(layout, text, found, reasons):
        echo(line, err=True)
    return bool(found.papers)


def _named(layout: "Layout", text: str) -> "tuple[Matches, Mapping[Reference, str]]":
    """Return the papers that a text names, and of what names none that is kept, why."""
    from flows.store.catalog.copies import open_catalog
    from flows.store.catalog.references import named_records
    from flows.store.search.scan import Matches, papers_of

    with closing(open_catalog(layout)) as catalog:
        records, reasons = named_records(catalog, text, layout.location)
    papers = papers_of(layout, records) if records else []
    return Matches(papers, len(papers)), reasons


def _matching(layout: "Layout", text: str, limit: int) -> "Matches":
    from flows.store.search.scan import Matches, find_papers
    from transforms.paper.search_terms import search_terms

    terms = search_terms(text)
    if text.strip() and not terms:
        return Matches([], 0)
    return find_papers(layout, terms, limit)


def _document(paper: "MatchingPaper") -> FoundPaper:
    return FoundPaper(
        paper.arxiv_id, paper.version, paper.pith_number, paper.title, paper.author_names,
        paper.primary_category, paper.submitted_at, paper.issued_at,
    )  # fmt: skip


def _blocks(papers: "Sequence[MatchingPaper]") -> Iterator[Block]:
    """Yield a table for a terminal; a pipe gets a line a paper."""
    if not sys.stdout.isatty():
        for paper in papers:
            named = f"{paper.arxiv_id:<12} {paper.pith_number}"
            yield Line(f"{named}  {paper.title} / {_authors(paper)}")
    elif papers:
        is_wide = shutil.get_terminal_size().columns >= _WIDE
        rows = [_cells(paper) for paper in papers]
        shown = [n for n, column in enumerate(_COLUMNS) if is_wide or column is not _NUMBER]
        yield Table([_COLUMNS[n] for n in shown], [[row[n] for n in shown] for row in rows])


def _cells(paper: "MatchingPaper") -> list[str]:
    from transforms.registry.readable import readable

    year, title, authors = str(paper.submitted_at.year), readable(paper.title), _authors(paper)
    return [paper.arxiv_id, year, paper.pith_number, title, readable(authors)]


def _authors(paper: "MatchingPaper") -> str:
    first, *others = paper.author_names or [paper.authors]
    return f"{first} et al." if others else first


def _remarks(
    layout: "Layout", text: str, found: "Matches", reasons: "Mapping[Reference, str]"
) -> Iterator[str]:
    """Yield what a person should know of an answer: of what is not there, and what is not shown."""
    if not found.papers:
        from flows.store.search.suggestions import nothing_matches

        yield nothing_matches(layout, text, list(reasons))
        return
    yield from reasons.values()
    if found.count > len(found.papers):
        yield f"{found.count - len(found.papers):,} more; --limit {found.count}"
