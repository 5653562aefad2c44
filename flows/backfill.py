"""The one-off job: a category over any span, Kaggle's file, a search, or saved replies."""

from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated

from prefect import flow, runtime
from pydantic import Field

from flows.jobs.backfill import backfill as backfill_job
from flows.jobs.report import RunReport
from flows.orchestration.form import with_form
from flows.orchestration.names import VERSION, backfill_name, backfill_tags
from flows.orchestration.tasks import run_in_flow
from flows.sources.source import BackfillOptions

DESCRIPTION = """\
Processes the papers of **one source**: categories of arXiv, Kaggle's snapshot, a search of arXiv,
or saved replies. Name one of `categories`, `snapshot`, `search` and `raw`; only a snapshot takes
`categories` too, to select from it. What is known already is counted as unchanged.

Started again, a run goes on where the one before stopped.
"""


def _name() -> str:
    return backfill_name(BackfillOptions(**runtime.flow_run.parameters))


@with_form
@flow(name="backfill", flow_run_name=_name, description=DESCRIPTION, version=VERSION)
def backfill(
    categories: list[Annotated[str, Field(examples=["cs.LG"])]] | None = None,
    snapshot: Annotated[
        Path | None, Field(examples=["/srv/pith/arxiv-metadata-oai-snapshot.json"])
    ] = None,
    search: Annotated[str | None, Field(examples=["cat:cs.LG AND ti:attention"])] = None,
    raw: list[Annotated[Path, Field(examples=["/srv/pith/data/raw"])]] | None = None,
    first: Annotated[date | None, Field(examples=["2026-11-14"])] = None,
    until: Annotated[date | None, Field(examples=["2026-11-21"])] = None,
    limit: Annotated[int, Field(ge=1)] = 2000,
    reissue: bool = False,
    config_file: Annotated[Path | None, Field(examples=["/srv/pith/config.yaml"])] = None,
    data_dir: Annotated[Path | None, Field(examples=["/srv/pith/data"])] = None,
) -> RunReport:
    """Process the papers of one source: categories of arXiv, a snapshot, a search, saved replies.

    Its tasks are the steps of the source (`check source`, then `commit shards`, or `search arXiv`
    and `fetch papers`, or `find windows`, `harvest pages`, `reconcile window`), and `write report`.

    Args:
        categories: What to harvest from arXiv, such as `cs.LG`, `math` or `all`. With a snapshot:
            what to take of it.
        snapshot: **Instead of** harvesting: the metadata file from Kaggle, plain or packed, on the
            machine where the run is.
        search: **Instead of** categories: a query to arXiv's search, such as
            `cat:cs.LG AND ti:attention`.
        raw: **Instead of** categories: saved OAI-PMH replies (arXivRaw) or folders of them, on the
            machine where the run is.
        first: For categories and a snapshot: the first day of the last change to take, in UTC;
            empty is the beginning.
        until: For categories and a snapshot: the last such day; empty is now.
        limit: For a search: how many papers to take at most.
        reissue: **Instead of** a source: sign all receipts again with the current key; arXiv is not
            asked.
        config_file: The configuration; empty is `config.yaml` of the working folder.
        data_dir: The data folder; empty is the one of the configuration.
    """
    options = BackfillOptions(
        raw=raw, categories=categories, snapshot=snapshot, search=search,
        first=first, until=until, limit=limit, reissue=reissue,
        config_file=config_file, data_dir=data_dir,
    )  # fmt: skip
    return run_in_flow(partial(backfill_job, options), backfill_tags(options))


def backfill_flow(options: BackfillOptions) -> RunReport:
    """Run the flow with these options."""
    return backfill(
        raw=options.raw,
        categories=options.categories,
        snapshot=options.snapshot,
        search=options.search,
        first=options.first,
        until=options.until,
        limit=options.limit,
        reissue=options.reissue,
        config_file=options.config_file,
        data_dir=options.data_dir,
    )
