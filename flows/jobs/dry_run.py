"""The plan of a backfill, and how long it takes at arXiv's pace: `--dry-run`.

Nothing is written in the data folder: no lock, no catalog, no key. What a window holds is asked of
arXiv, with one request for each.
"""

from flows.common.config import Config, load_config
from flows.sources.plan import Plan
from flows.sources.registry import choose_source
from flows.sources.source import BackfillOptions


def dry_run(options: BackfillOptions) -> Plan:
    """Return what a backfill with these options would do."""
    return plan_backfill(load_config(options.config_file, data_dir=options.data_dir), options)


def plan_backfill(config: Config, options: BackfillOptions) -> Plan:
    """Return what a backfill would do as configured."""
    return choose_source(options).plan(config)
