"""Single papers: which ones are meant, and what became of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flows.common.counts import Counts
from flows.common.errors import ConfigError
from flows.ingest.run import Run, UnitResult
from flows.sources.arxiv.harvest.papers import fetch_paper
from flows.store.catalog.references import find_records
from transforms.bundle.record import canonical_record, pith_number
from transforms.paper.paper import Paper
from transforms.paper.reference import Reference

if TYPE_CHECKING:
    from flows.sources.arxiv.oai_client import OaiClient


@dataclass(slots=True)
class RequestedPaper:
    """A paper to ask arXiv for, and the versions that were asked for, if any."""

    arxiv_id: str
    versions: list[int] = field(default_factory=list)


def find_requested(run: Run, references: Sequence[Reference]) -> list[RequestedPaper]:
    """Return each paper meant once; a Pith Number that stands for none is noted as a failure."""
    store, requested = run.store, dict[str, RequestedPaper]()
    for reference in references:
        arxiv_id, version = reference.arxiv_id, reference.version
        if reference.pith_number is not None:
            try:
                record = find_records(store.catalog, reference, store.layout.location)[-1]
            except ConfigError as error:
                run.results.append(UnitResult(reference.pith_number, failure=str(error)))
                continue
            arxiv_id, version = record.arxiv_id, record.version
        if arxiv_id is not None:
            paper = requested.setdefault(arxiv_id, RequestedPaper(arxiv_id))
            if version is not None and version not in paper.versions:
                paper.versions.append(version)
    return list(requested.values())


def fetch_requested(run: Run, client: "OaiClient", requested: Iterable[RequestedPaper]) -> None:
    """Ask for papers one by one, and note for each what is new and what stayed."""
    for one in requested:
        run.progress.begin(one.arxiv_id, 1, 1)
        papers, counts = fetch_paper(run, client, one.arxiv_id)
        run.papers += [f"{one.arxiv_id}  rejected: {reason}" for reason in counts.by_reason]
        for paper in papers:
            run.papers.append(_describe(paper, counts))
            run.papers += [
                _explain(paper, version) for version in one.versions if version != paper.version
            ]


def _describe(paper: Paper, counts: Counts) -> str:
    """Return what became of a paper, given the counts of the reply with it alone."""
    number = pith_number(canonical_record(paper))
    if counts.new_records:
        news = "new record"
    elif counts.new_snapshots:
        news = "new snapshot"
    else:
        news = "unchanged"
    return f"{paper.id}v{paper.version}  {number}  {news}"


def _explain(paper: Paper, version: int) -> str:
    if version > paper.version:
        reason = f"which arXiv does not have; its newest is v{paper.version}"
    else:
        reason = f"but arXiv serves only the newest metadata, which is v{paper.version}"
    return f"{paper.id}: asked for v{version}, {reason}"
