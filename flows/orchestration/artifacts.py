"""What a finished run leaves in Prefect's UI: report and table, linked, a message, one event.

Nothing here can fail a run: its papers are committed and its report is on disk, so a server that is
away costs the view alone.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast
from uuid import UUID

import httpx
from prefect import runtime
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import ArtifactUpdate
from prefect.events import emit_event
from prefect.exceptions import PrefectException
from prefect.utilities.urls import url_for

from flows.common.process.progress import LOGGER
from flows.common.terminal import sentence
from flows.jobs.report import RunReport

COMPLETED = "pith.harvest.completed"
INCOMPLETE = "pith.harvest.incomplete"
COUNTERS = ("papers", "new_records", "new_snapshots", "unchanged", "withdrawn", "rejects")


def publish(report: RunReport) -> None:
    """Make the report, a table and one event of a finished run; the keys are the job's own."""
    with forgiven():
        _make_artifacts(report)
    payload = {
        "job": report.job,
        "exit_status": report.exit_status,
        "summary": report.summary,
        "page": report.page,
        report.nouns.units: report.units,
        **{name: getattr(report.counts, name) for name in COUNTERS},
        "failures": len(report.failures),
        "windows": len(report.windows),
        "incomplete_windows": len(report.incomplete),
    }
    event = INCOMPLETE if report.exit_status else COMPLETED
    is_complete = not (report.incomplete or report.unreachable)
    _emit(event, report.run, report.job, payload, is_complete=is_complete)


def publish_failure(error: Exception) -> None:
    """Make the one event of a run that failed before it had a report."""
    job = str(runtime.flow_run.flow_name)
    payload = {"job": job, "problem": sentence(str(error))}
    _emit(INCOMPLETE, str(runtime.flow_run.id), job, payload, is_complete=False)


def result_message(report: RunReport) -> str:
    """Return what became of a run and where its report is, for the flow run's state."""
    artifact = _key(report, "report")
    return sentence(f"{report.summary}; the report is the artifact {artifact}, and {report.page}")


def _make_artifacts(report: RunReport) -> None:
    run, key = _ui_address("flow-run", runtime.flow_run.id), _key(report, "table")
    table = cast("UUID", create_table_artifact(_table(report), key, report.run))
    heading, _, text = report.markdown().partition("\n")
    links = _links({"this run": run, "its numbers as a table": _artifact_address(table)})
    markdown = f"{heading}\n\n{links}\n{text}"
    key = _key(report, "report")
    made = cast("UUID", create_markdown_artifact(markdown, key, report.run))
    links = _links({"this run": run, "its report": _artifact_address(made)})
    with get_client(sync_client=True) as client:
        client.update_artifact(table, ArtifactUpdate(description=f"{report.run}\n\n{links}"))


def _links(addresses: dict[str, str | None]) -> str:
    """Return links in Markdown; without any address where Prefect knows none of its UI."""
    return " · ".join(f"[{what}]({address})" for what, address in addresses.items() if address)


def _ui_address(kind: str, prefect_id: object) -> str | None:
    return url_for(kind, str(prefect_id))


def _artifact_address(artifact: UUID) -> str | None:
    """Return an artifact's page, of which Prefect makes no address: beside that of flow runs."""
    of_run = _ui_address("flow-run", artifact)
    return of_run and of_run.replace("/runs/flow-run/", "/artifacts/artifact/")


def _key(report: RunReport, kind: str) -> str:
    return f"pith-{report.job}-{kind}"


def _table(report: RunReport) -> list[dict[str, Any]]:
    """Return a row for each counter and window; Prefect takes its columns from the first."""
    counters = {report.nouns.units: report.units}
    counters |= {name.replace("_", " "): getattr(report.counts, name) for name in COUNTERS}
    counters["inputs that could not be used"] = len(report.failures)
    rows = [{"what": name, "number": number, "note": ""} for name, number in counters.items()]
    for w in report.windows:
        came = f"harvested {w.harvested}, recovered {w.recovered}, deleted {w.deleted}"
        note = "done before" if w.was_done else f"complete: {came}, moved {w.moved}"
        note = sentence(f"NOT COMPLETE: {w.problem}") if w.problem else note
        rows.append({"what": sentence(w.window), "number": w.listed, "note": note})
    return rows


def _emit(event: str, run: str, job: str, payload: dict[str, Any], *, is_complete: bool) -> None:
    """Emit an event; automations match the labels of its resource, and not its payload."""
    resource = {
        "prefect.resource.id": f"pith.run.{run}",
        "prefect.resource.name": run,
        "pith.job": job,
        "pith.windows": "complete" if is_complete else "incomplete",
    }
    emit_event(event, resource=resource, payload=payload)


@contextmanager
def forgiven() -> Iterator[None]:
    """Log that Prefect's server does not take what is shown, instead of failing the run."""
    try:
        yield
    except (httpx.HTTPError, PrefectException) as error:
        LOGGER.warning("Prefect's server did not take what the run shows: %s", error)
