"""Single papers, asked for one by one."""

from typing import TYPE_CHECKING

from flows.common.counts import Counts
from flows.ingest.commit import mark_deleted, process_reply
from flows.ingest.run import Run, UnitResult
from transforms.paper.paper import Paper
from transforms.parsing.oai_xml import IdDoesNotExistError, OaiError

if TYPE_CHECKING:
    from flows.sources.arxiv.oai_client import OaiClient


def expect_single(run: Run, papers: int) -> None:
    """Tell the run's progress that so many papers are asked for one by one, at arXiv's pace."""
    run.progress.expect(papers)
    run.progress.keep_pace(run.config.arxiv.pace_seconds)


def fetch_paper(run: Run, client: "OaiClient", arxiv_id: str) -> tuple[list[Paper], Counts]:
    """Ask arXiv for one paper and process the reply; an error reply is noted as a failure."""
    try:
        reply = client.get_record(arxiv_id)
    except OaiError as error:
        if isinstance(error, IdDoesNotExistError) and run.store.catalog.of_arxiv_id(arxiv_id):
            mark_deleted(run, [arxiv_id], source=run.job)
        run.results.append(UnitResult(arxiv_id, failure=str(error)))
        run.progress.expect_no_more(1)
        return [], Counts()
    result = process_reply(run, reply.raw, reply.value, name=arxiv_id)
    run.results.append(result)
    return reply.value.papers, result.counts
