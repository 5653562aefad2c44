"""The command `rebuild-catalog`: the catalog made again from ledger and tables."""

from dataclasses import dataclass
from functools import partial

from flows.cli.options import ConfigOption, DataOption, JsonOption, load
from flows.cli.output.answer import answer
from flows.common.counts import counted
from flows.common.terminal import Line, echo


@dataclass(frozen=True, slots=True)
class RebuiltCatalog:
    """What `rebuild-catalog --json` prints: the records that count, and of how many shards."""

    records: int
    shards: int


def rebuild_catalog(
    config: ConfigOption = None, data: DataOption = None, *, as_json: JsonOption = False
) -> None:
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
    say = partial(echo, err=True)
    with open_store(layout, job="rebuild-catalog", bundle_files=bundle_files, say=say) as store:
        records = store.catalog.count("records")
    keep_index(layout, say, anew=True)
    known = f"{counted(records, 'records')} of {counted(shards, 'shards')}"
    said = f"the catalog knows {known} again"
    answer(RebuiltCatalog(records, shards), [Line(said)], as_json=as_json)
