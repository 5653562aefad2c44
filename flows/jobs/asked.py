"""The three jobs as users ask for them: what the options say, bound to the job that does it.

Without Prefect: the command line runs such a job directly, a flow runs it with steps as tasks.
"""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from pathlib import Path

from flows.common.config import load_config
from flows.jobs import jobs
from flows.jobs import reissue as reissuing
from flows.jobs.report import RunReport
from transforms.paper.selection import Selection

BoundJob = Callable[..., RunReport]
"""A job that needs nothing more; it takes `in_step`, a backfill from a source `on_progress` too."""


def backfill(
    raw: Sequence[Path] | None = None,
    categories: Sequence[str] | None = None,
    snapshot: Path | None = None,
    search: str | None = None,
    *,
    first: date | None = None,
    until: date | None = None,
    limit: int = 2000,
    reissue: bool = False,
    config_file: Path | None = None,
    data_dir: Path | None = None,
) -> BoundJob:
    """Return the backfill of one source, or the reissue of all that is kept."""
    config = load_config(config_file, data_dir=data_dir)
    if reissue:
        return partial(reissuing.reissue, config, job_name="backfill")
    # A form sends empty fields too.
    jobs.check_source(raw or None, snapshot or None, search or None, categories)
    if raw:
        return partial(jobs.backfill_raw, config, raw)
    if snapshot:
        selection = Selection(frozenset(categories or ()), first, until)
        return partial(jobs.backfill_snapshot, config, snapshot, selection)
    if search:
        return partial(jobs.backfill_search, config, search, limit)
    return partial(jobs.backfill_categories, config, categories or [], first, until)


def nightly(*, config_file: Path | None = None, data_dir: Path | None = None) -> BoundJob:
    """Return the nightly harvest."""
    return partial(jobs.nightly, load_config(config_file, data_dir=data_dir))


def rerun(
    papers: Sequence[str],
    *,
    reissue: bool = False,
    config_file: Path | None = None,
    data_dir: Path | None = None,
) -> BoundJob:
    """Return the rerun of single papers, or the reissue of their receipts."""
    config = load_config(config_file, data_dir=data_dir)
    if reissue:
        return partial(reissuing.reissue, config, papers, job_name="rerun")
    return partial(jobs.rerun, config, papers)
