"""The command `rebuild-catalog`: the catalog made again from ledger and tables."""

from flows.cli.options import ConfigOption, DataOption, load
from flows.common.terminal import echo


def rebuild_catalog(config: ConfigOption = None, data: DataOption = None) -> None:
    """Make the catalog again from the tables, and bundle files that are missing.

    A search index that there is is made again too.

    Examples:
        pith-ingest rebuild-catalog
        pith-ingest rebuild-catalog --data data/demo
    """
    from flows.ingest.worker_context import layout_of
    from flows.store.repair import rebuild
    from flows.store.search.build import keep_index
    from flows.store.store import open_store

    loaded = load(config, data)
    layout = layout_of(loaded)
    shards = rebuild.rebuild_catalog(layout)
    bundle_files = loaded.outputs.bundle_files == "all"
    with open_store(layout, job="rebuild-catalog", bundle_files=bundle_files, say=echo) as store:
        records = store.catalog.count("records")
    keep_index(layout, echo, anew=True)
    echo(f"the catalog knows {records} records of {shards} shards again")
