"""The one-off job: a category over any span, a snapshot, a search, or saved replies."""

from datetime import date
from pathlib import Path

from prefect import flow

from flows import jobs
from flows.config import load_config
from flows.engine import as_task
from flows.report import RunReport
from transforms.selection import Selection


@flow(name="backfill")
def backfill(  # noqa: PLR0913, PLR0917 - the fields of its form in Prefect's UI
    raw: list[Path] | None = None,
    categories: list[str] | None = None,
    snapshot: Path | None = None,
    search: str | None = None,
    first: date | None = None,
    until: date | None = None,
    limit: int = 2000,
    config_file: Path | None = None,
    data_dir: Path | None = None,
) -> RunReport:
    """Process the papers of one source: saved replies, a snapshot, a search, or arXiv itself.

    Args:
        raw: saved OAI-PMH replies in the arXivRaw format, or folders of them.
        categories: what to harvest from arXiv, such as cs.LG, or what to take of a snapshot.
        snapshot: the metadata file from Kaggle, plain or packed.
        search: a query to arXiv's search, such as `cat:cs.LG AND ti:attention`.
        first: the first day of the last change to take.
        until: the last one.
        limit: how many papers of a search to take.
        config_file: the configuration; `config.yaml` of the working folder by default.
        data_dir: where to keep everything, instead of what the configuration says.
    """
    config = load_config(config_file, data_dir=data_dir)
    jobs.check_source(raw, snapshot, search, categories)
    if raw is not None:
        return jobs.backfill_raw(config, raw, in_step=as_task)
    if snapshot is not None:
        selection = Selection(frozenset(categories or ()), first, until)
        return jobs.backfill_snapshot(config, snapshot, selection, in_step=as_task)
    if search is not None:
        return jobs.backfill_search(config, search, limit, in_step=as_task)
    return jobs.backfill_categories(config, categories or [], first, until, in_step=as_task)
