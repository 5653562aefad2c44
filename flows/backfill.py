"""The one-off job: process a whole harvest, or whatever part of it is at hand."""

from pathlib import Path

from prefect import flow

from flows import jobs
from flows.config import load_config
from flows.engine import as_task
from flows.report import RunReport


@flow(name="backfill")
def backfill(
    raw: list[Path], config_file: Path | None = None, data_dir: Path | None = None
) -> RunReport:
    """Process saved OAI-PMH replies: files, or folders of them.

    Args:
        raw: saved replies in the arXivRaw format, plain, .gz or .zst.
        config_file: the configuration; `config.yaml` of the working folder by default.
        data_dir: where to keep everything, instead of what the configuration says.
    """
    config = load_config(config_file, data_dir=data_dir)
    return jobs.backfill_raw(config, raw, in_step=as_task)
