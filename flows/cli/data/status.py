"""The command `status`: what there is, which days are proven, what is not, and what to do."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

import typer

from flows.cli.options import ConfigOption, DataOption, load
from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import echo

if TYPE_CHECKING:
    from flows.common.config import Config
    from flows.store.catalog.catalog import Catalog
    from flows.store.catalog.windows import Progress
    from flows.store.layout import Layout

LAST_RUNS = 5


def status(config: ConfigOption = None, data: DataOption = None) -> None:
    """Show what there is, which days are proven complete, what is not and what to do.

    Exit status: 0, or 1 where something that was committed is gone or changed, as far as a quick
    look tells.

    Examples:
        pith-ingest status
        pith-ingest status --data data/demo
    """
    loaded = load(config, data)
    faults = list(find_faults(loaded))
    # What a damaged catalog says is not shown.
    for line in faults or status_lines(loaded):
        echo(line)
    raise typer.Exit(ExitStatus.PROBLEMS if faults else ExitStatus.DONE)


def find_faults(config: "Config") -> Iterator[str]:
    """Yield what a quick look finds wrong with what was committed, a line each."""
    from flows.ingest.worker_context import layout_of
    from flows.store.repair.examine import look

    layout = layout_of(config)
    found = look(layout, quick=True)
    if found.entries or layout.catalog.exists():
        yield from map(str, found.faults)


def status_lines(config: "Config") -> Iterator[str]:
    """Yield the counts, the proven days, the last runs and what is incomplete, a line each."""
    from flows.ingest.worker_context import layout_of
    from flows.sources.arxiv.harvest.coverage import coverage_lines, sets_of_interest
    from flows.store.catalog.copies import open_catalog

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


def _last_runs(layout: "Layout") -> Iterator[str]:
    from flows.store.layout import RUNS

    for name in sorted(layout.files.names(RUNS), reverse=True)[:LAST_RUNS]:
        yield _run_line(layout, name)


def _run_line(layout: "Layout", name: str) -> str:
    try:
        run = json.loads(layout.files.read(layout.report(name, "report.json")))
        counts = run["counts"]
        made = f"new records {counts['new_records']}, new snapshots {counts['new_snapshots']}"
        return f"run {name}: {_outcome(run)}; {made}, unchanged {counts['unchanged']}"
    except (OSError, ValueError, KeyError, TypeError):
        return f"run {name}: its report cannot be read"


def _outcome(run: dict[str, Any]) -> str:
    """Return how a run ended, by its report: `done`, or `done with 1 reject`."""
    status = ExitStatus(run["exit_status"])
    if status is ExitStatus.UNREACHABLE:
        return "arXiv was unreachable"
    if status is ExitStatus.UNUSABLE:
        return "stopped, for its input could not be read on"
    problems = {
        "reject": run["counts"]["rejects"],
        "unusable input": len(run["failures"]),
        "incomplete window": sum(bool(window["problem"]) for window in run["windows"]),
    }
    named = [f"{count} {what}{'s' * (count != 1)}" for what, count in problems.items() if count]
    if status is ExitStatus.DONE:
        return "done"
    return f"done with {', '.join(named) or 'problems'}"


def _open_windows(catalog: "Catalog") -> Iterator[str]:
    from flows.sources.arxiv.harvest.coverage import backfill_command

    for progress in catalog.windows.open_windows():
        window = progress.window
        yield f"NOT COMPLETE: {window}: {_where(progress)}, begun {progress.started_at:%F}"
        command = backfill_command(window.set_spec, window.first, window.until)
        yield f"  {command} completes it"


def _where(progress: "Progress") -> str:
    if progress.token == "":
        return "all pages came, not reconciled yet"
    return f"{progress.pages} pages came"
