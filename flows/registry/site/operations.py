"""The pages about how the records came to be: runs, windows, rejects, vanished papers."""

import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec

from flows.common.process.clock import utc_now
from flows.common.process.exit_status import ExitStatus
from flows.ingest.progress.run_file import is_under_way, read_run_file
from flows.ingest.progress.value import RunState
from flows.jobs.reports.kept import (
    REPORT,
    RUN,
    KeptReport,
    earlier_reports,
    parse_report,
    run_names,
)
from flows.jobs.reports.page import COMPARED, page_values
from flows.registry.reader import RegistryReader
from flows.registry.site.tables import read_page
from flows.store.layout import Layout

A_PAGE = 50
LAST_PAGE = 100_000

TABLES: Mapping[str, list[str]] = {
    "windows": ["set_spec", "first", "until", "started_at", "listed_at", "listed", "harvested",
                "recovered", "vanished", "left"],
    "rejects": ["arxiv_id", "reason", "source", "position"],
    "vanished": ["arxiv_id", "noticed_at", "source"],
}  # fmt: skip
"""The tables that have a page, and their columns there: a reject's bytes are in the table alone."""

_OUTCOMES = {
    ExitStatus.DONE: "done",
    ExitStatus.UNUSABLE: "stopped: its input could not be read on",
    ExitStatus.UNREACHABLE: "arXiv was unreachable",
}

Report = dict[str, Any]
"""A run's report as it was written, by whichever version."""


class NoSuchRunError(LookupError):
    """A name that is no run's, or of which there is no report that can be read."""


def table_values(reader: RegistryReader, table: str, page: int) -> dict[str, object]:
    """Return a page of a table, newer shards first; raises `StoreError`."""
    rows, total = read_page(reader, table, TABLES[table], (page - 1) * A_PAGE, A_PAGE)
    return {"rows": rows, "total": total, "page": page, "pages": max(1, -(-total // A_PAGE))}


def runs_values(layout: Layout, page: int) -> dict[str, object]:
    """Return a page of the runs, the newest first."""
    names = run_names(layout)
    start = (page - 1) * A_PAGE
    rows = [_summary(layout, name) for name in names[start : start + A_PAGE]]
    pages = max(1, -(-len(names) // A_PAGE))
    return {"rows": rows, "total": len(names), "page": page, "pages": pages}


def read_report(layout: Layout, run: str) -> Report:
    """Return the report of a run without the places of this machine; raises `NoSuchRunError`."""
    if not RUN.fullmatch(run):
        raise NoSuchRunError(run)
    try:
        report = json.loads(layout.files.read(layout.report(run, REPORT)))
    except (OSError, ValueError):
        raise NoSuchRunError(run) from None
    if not isinstance(report, dict):
        raise NoSuchRunError(run)
    place = str(report.pop("data_dir", ""))
    public = {name: _without(value, place) for name, value in report.items()}
    if isinstance(file := public.get("input_file"), dict):
        file["name"] = str(file.get("name", "")).replace("\\", "/").rpartition("/")[2]
    return public


def report_values(layout: Layout, run: str) -> dict[str, object]:
    """Return what the template of a run's page shows; raises `NoSuchRunError`.

    Made of `report.json` anew: the file `report.html` of a data folder is never served.
    """
    report = _kept(layout, run)
    return page_values(report, earlier_reports(layout, run, report.job, COMPARED))


def _kept(layout: Layout, run: str) -> KeptReport:
    """Return a report with types; raises `NoSuchRunError` where it is not what a run writes."""
    try:
        return parse_report(msgspec.json.encode(read_report(layout, run)), run)
    except ValueError:
        raise NoSuchRunError(run) from None


def _without(value: object, place: str) -> object:
    """Return a JSON value whose texts name nothing by where it lies on this machine."""
    if isinstance(value, dict):
        return {name: _without(one, place) for name, one in value.items()}
    if isinstance(value, list):
        return [_without(one, place) for one in value]
    if isinstance(value, str) and place:
        return value.replace(f"{place}/", "").replace(place, "the data folder")
    return value


def _summary(layout: Layout, run: str) -> dict[str, object]:
    """Return the line of a run in the list; of one without a report only its name."""
    report = None
    with suppress(NoSuchRunError):
        report = _kept(layout, run)
    if report:
        outcome = _OUTCOMES.get(ExitStatus(report.exit_status), "done, with problems")
    else:
        outcome = _unreported(layout, run)
    return {"run": run, "report": report, "outcome": outcome}


def _unreported(layout: Layout, run: str) -> str:
    """Return what is known of a run without a report: it goes on, or it was stopped."""
    found = read_run_file(layout, run)
    if found is None:
        return "its report cannot be read"
    if is_under_way(found, utc_now()):
        return "under way"
    return "gone" if found.progress.state is RunState.RUNNING else str(found.progress.state)
