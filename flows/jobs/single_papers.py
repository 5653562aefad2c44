"""Single papers: which ones are meant, and what became of each."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from flows.common.counts import Counts
from flows.common.errors import ConfigError
from flows.ingest.commit import UnitResult, mark_vanished, process_reply
from flows.jobs.job import Job
from flows.store.catalog.references import find_records
from transforms.bundle.record import canonical_record, pith_number
from transforms.paper.paper import Paper
from transforms.paper.reference import Reference
from transforms.parsing.oai_xml import IdDoesNotExistError, OaiError

if TYPE_CHECKING:
    from flows.sources.arxiv.oai_client import OaiClient


@dataclass(slots=True)
class Wanted:
    """A paper to ask arXiv for, and the versions that were asked for, if any."""

    arxiv_id: str
    versions: list[int] = field(default_factory=list)


def find_wanted(job: Job, references: Sequence[Reference]) -> list[Wanted]:
    """Return each paper meant once; a Pith Number that stands for none is noted as a failure."""
    store, wanted = job.run.store, dict[str, Wanted]()
    for reference in references:
        arxiv_id, version = reference.arxiv_id, reference.version
        if reference.pith_number is not None:
            try:
                record = find_records(store.catalog, reference, store.layout.location)[-1]
            except ConfigError as error:
                job.results.append(UnitResult(reference.pith_number, failure=str(error)))
                continue
            arxiv_id, version = record.arxiv_id, record.version
        if arxiv_id is not None:
            paper = wanted.setdefault(arxiv_id, Wanted(arxiv_id))
            if version is not None and version not in paper.versions:
                paper.versions.append(version)
    return list(wanted.values())


def take_record(job: Job, client: "OaiClient", arxiv_id: str) -> tuple[list[Paper], Counts]:
    """Ask arXiv for one paper and process the answer; an error reply is noted as a failure."""
    try:
        reply = client.get_record(arxiv_id)
    except OaiError as error:
        if isinstance(error, IdDoesNotExistError) and job.run.store.catalog.of_arxiv_id(arxiv_id):
            mark_vanished(job.run, [arxiv_id], source=job.name)
        job.results.append(UnitResult(arxiv_id, failure=str(error)))
        return [], Counts()
    result = process_reply(job.run, reply.raw, reply.value, name=arxiv_id)
    job.results.append(result)
    return reply.value.papers, result.counts


def take_wanted(job: Job, client: "OaiClient", wanted: Iterable[Wanted]) -> None:
    """Take papers one by one, and note for each what is new and what stayed."""
    for one in wanted:
        papers, counts = take_record(job, client, one.arxiv_id)
        job.papers += [f"{one.arxiv_id}  rejected: {reason}" for reason in counts.by_reason]
        for paper in papers:
            job.papers.append(_describe(paper, counts))
            job.papers += [
                _explain(paper, version) for version in one.versions if version != paper.version
            ]


def _describe(paper: Paper, counts: Counts) -> str:
    """Say what became of a paper, given the counts of the reply with it alone."""
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
