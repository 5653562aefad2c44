"""The command `status`: what there is, which days are proven, what is not, and what to do."""

import json
from collections.abc import Iterator
from contextlib import closing

from flows.cli.data.show import open_catalog
from flows.common.config import Config
from flows.ingest.worker_context import layout_of
from flows.sources.arxiv.harvest.coverage import backfill_command, coverage_lines, sets_of_interest
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.windows import Progress
from flows.store.layout import RUNS, Layout
from flows.store.repair.examine import look

LAST_RUNS = 5
FAULTY = 1


def find_faults(config: Config) -> Iterator[str]:
    """Yield what a quick look finds wrong with what was committed, a line each."""
    layout = layout_of(config)
    found = look(layout)
    if found.entries or layout.catalog.exists():
        yield from map(str, found.faults)


def status_lines(config: Config) -> Iterator[str]:
    """Give the counts, the days that are proven, last runs, and what is incomplete, a line each."""
    layout = layout_of(config)
    with closing(open_catalog(layout)) as catalog:
        yield f"records {catalog.count('records')}, rejects {catalog.count('rejects')}"
        yield f"shards {catalog.count('shards')}, papers vanished {catalog.count('vanished')}"
        log = catalog.windows
        yield from coverage_lines(log, sets_of_interest(log, config.categories))
        yield from _last_runs(layout)
        yield from _open_windows(catalog)
        if left := catalog.shards_without_files():
            yield f"bundle files of {len(left)} shards may be missing; the next run writes them"


def _last_runs(layout: Layout) -> Iterator[str]:
    for name in sorted(layout.files.names(RUNS), reverse=True)[:LAST_RUNS]:
        yield _run_line(layout, name)


def _run_line(layout: Layout, name: str) -> str:
    try:
        run = json.loads(layout.files.read(layout.report(name, "report.json")))
        counts = run["counts"]
        made = f"new records {counts['new_records']}, new snapshots {counts['new_snapshots']}"
        ended = {0: "done", 1: "done, not without troubles", 3: "arXiv was unreachable"}
        outcome = ended[run["exit_status"]]
    except (OSError, ValueError, KeyError, TypeError):
        return f"run {name}: its report cannot be read"
    return f"run {name}: {outcome}; {made}, unchanged {counts['unchanged']}"


def _open_windows(catalog: Catalog) -> Iterator[str]:
    for progress in catalog.windows.open_windows():
        window = progress.window
        yield f"NOT COMPLETE: {window}: {_where(progress)}, begun {progress.started_at:%F}"
        command = backfill_command(window.set_spec, window.first, window.until)
        yield f"  {command} completes it"


def _where(progress: Progress) -> str:
    if progress.token == "":
        return "all pages came, not reconciled yet"
    return f"{progress.pages} pages came"
