"""The one-off job: a category over any span, Kaggle's file, a search, or saved replies."""

from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated

from prefect import flow
from pydantic import Field

from flows.jobs.backfill import backfill as backfill_job
from flows.jobs.report import RunReport
from flows.orchestration.tasks import run_in_flow
from flows.sources.source import BackfillOptions


@flow(name="backfill")
def backfill(
    raw: list[Path] | None = None,
    categories: list[str] | None = None,
    snapshot: Path | None = None,
    search: str | None = None,
    first: date | None = None,
    until: date | None = None,
    limit: Annotated[int, Field(ge=1)] = 2000,
    reissue: bool = False,
    config_file: Path | None = None,
    data_dir: Path | None = None,
) -> RunReport:
    """Process the papers of one source: saved replies, a snapshot, a search, or arXiv itself.

    Its tasks are the steps of the source (`check source`, then `commit shards`, or `search arXiv`
    and `fetch papers`, or `find windows`, `harvest pages`, `reconcile window`), and `write report`.

    Args:
        raw: saved OAI-PMH replies in the arXivRaw format, or folders of them.
        categories: what to harvest from arXiv, such as cs.LG, or what to take of a snapshot.
        snapshot: the metadata file from Kaggle, plain or packed.
        search: a query to arXiv's search, such as `cat:cs.LG AND ti:attention`.
        first: the first day of the last change to take.
        until: the last one.
        limit: how many papers of a search to take.
        reissue: issue all receipts again with the current key; no source is read.
        config_file: the configuration; `config.yaml` of the working folder by default.
        data_dir: where to keep everything, instead of what the configuration says.
    """
    options = BackfillOptions(
        raw=raw, categories=categories, snapshot=snapshot, search=search,
        first=first, until=until, limit=limit, reissue=reissue,
        config_file=config_file, data_dir=data_dir,
    )  # fmt: skip
    return run_in_flow(partial(backfill_job, options))


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
