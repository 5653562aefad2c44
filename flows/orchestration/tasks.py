"""Prefect around the jobs: steps as tasks, and what a run shows in the UI.

With the flows and `deployments` all that imports Prefect. Nothing here can fail a run: its papers
are committed and its report is on disk, so a server that is away costs the view alone.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast
from uuid import UUID

import httpx
from prefect import runtime, task
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.client.schemas.responses import SetStateStatus
from prefect.events import emit_event
from prefect.exceptions import Pause, PrefectException
from prefect.logging.handlers import APILogHandler
from prefect.states import AwaitingRetry, Completed

from flows.common.limits import Limits
from flows.common.process.progress import LOGGER
from flows.common.terminal import sentence
from flows.ingest.progress.text import one_line
from flows.ingest.progress.value import RunProgress
from flows.ingest.steps import Step, StepRunner
from flows.jobs.report import RunReport, UnreachableRunError

COMPLETED = "pith.harvest.completed"
INCOMPLETE = "pith.harvest.incomplete"
COUNTERS = ("papers", "new_records", "new_snapshots", "unchanged", "withdrawn", "rejects")

_T = TypeVar("_T")
Job = Callable[[StepRunner], RunReport]
"""A job with all its options, which takes how its steps are run."""


class TaskSteps:
    """Runs each step as a Prefect task of its kind, whose run also says what it is about.

    Nothing is cached: files and the catalog are the memory. The work is bound beforehand, so that
    neither papers nor keys become parameters that Prefect would record. No retries: the client
    has asked arXiv for many minutes before a step fails, and what a step did twice would be
    counted twice. A run as a whole can be retried: it goes on where the one before stopped.
    """

    def __init__(self, limits: Limits) -> None:
        """Begin with no task run."""
        self._task_runs, self._most = 0, limits.task_runs

    def run(self, step: Step, name: str, work: Callable[[], _T]) -> _T:
        """Return what the work returns, which is none of Prefect's business.

        After `limits.task_runs` steps are no task runs any more, but for the report's.
        """
        self._task_runs += 1
        if self._task_runs >= self._most and step != Step.WRITE_REPORT:
            if self._task_runs == self._most:
                LOGGER.info("more than %d steps: the others show in the log", self._most)
            return work()
        returned: list[_T] = []

        def step_work() -> None:
            returned.append(work())

        # Of it Prefect makes the key by which the runs of one task belong together.
        step_work.__qualname__ = step.name.lower()
        # A function, for Prefect fills in the braces of a text, which a file's name may have.
        as_task = task(
            name=step.value,
            task_run_name=lambda: sentence(f"{step}: {name}"),
            cache_policy=NO_CACHE,
        )
        as_task(step_work)()
        return returned[0]

    def show(self, progress: RunProgress) -> None:
        """Show nothing: the task runs do."""


def run_in_flow(job: Job, steps: StepRunner | None = None) -> RunReport:
    """Run a job within a flow run: steps as tasks, its log, artifacts and event in the UI.

    The flow run is Completed, with a message when the report is incomplete. It is Failed by an
    `UnreachableRunError` when arXiv was not reached, so that Prefect can retry it.
    """
    try:
        with _log_in_ui():
            # The job reads its configuration later, in which limits are no setting.
            report = job(steps or ShownProgress(Limits()))
    except Exception as error:
        _emit(INCOMPLETE, f"{runtime.flow_run.id}", {"problem": sentence(str(error))})
        raise
    publish(report)
    if report.unreachable:
        raise UnreachableRunError(report)
    if report.exit_status:
        state: State[RunReport] = Completed(
            message=f"not all done, see {_key(report, 'report')}", data=report
        )
        # Prefect takes a returned state as the run's end, and gives its data to the caller.
        return cast("RunReport", state)
    return report


@contextmanager
def waiting_for_another_attempt(attempts: int, after: timedelta) -> Iterator[None]:
    """Have the server start a deployment's flow run again if it fails, `attempts` times in all.

    Prefect's own `retries` wait in the flow's process, which keeps its place in `serve` or a work
    pool all the time. Here the process ends, and the run, AwaitingRetry, is the server's alone.
    """
    try:
        yield
    except Exception as error:
        state = _await_retry(attempts, after, str(error))
        if state is None:
            raise
        # What Prefect ends a flow's process with, and leaves its state as it is.
        raise Pause(state=state) from None


def _await_retry(attempts: int, after: timedelta, reason: str) -> State[Any] | None:
    """Return the flow run's new state, or None where it was the last attempt or cannot wait.

    A run without a deployment cannot, for nobody would start it, nor one that is being cancelled.
    """
    run_id = UUID(runtime.flow_run.id)
    try:
        with get_client(sync_client=True) as client:
            run = client.read_flow_run(run_id)
            if run.deployment_id is None or run.run_count >= attempts:
                return None
            later: State[Any] = AwaitingRetry(
                scheduled_time=datetime.now(UTC) + after, message=reason
            )
            answer = client.set_flow_run_state(run_id, later)
    except (httpx.HTTPError, PrefectException) as error:
        LOGGER.warning("Prefect's server did not put off the next attempt: %s", error)
        return None
    return answer.state if answer.status == SetStateStatus.ACCEPT else None


class ShownProgress(TaskSteps):
    """Runs steps as tasks, and has a progress artifact: what is done, and how long the rest takes.

    Made within the flow run, to which the artifact then belongs; any thread may update it.
    """

    def __init__(self, limits: Limits) -> None:
        """Show that nothing is done yet."""
        super().__init__(limits)
        self._artifact: UUID | None = None
        key = f"pith-{runtime.flow_run.flow_name}-progress"
        with _forgiven():
            # Its type tells of a coroutine too, which asynchronous callers get.
            self._artifact = cast("UUID", create_progress_artifact(0.0, key, "started"))

    def show(self, progress: RunProgress) -> None:
        """Show how far the run is, where the server takes it."""
        if self._artifact:
            percent = 100.0 * (progress.share or 0.0)
            with _forgiven():
                update_progress_artifact(self._artifact, percent, one_line(progress))


def publish(report: RunReport) -> None:
    """Make the report, a table and one event of a finished run; the keys are the job's own."""
    with _forgiven():
        create_markdown_artifact(report.markdown(), _key(report, "report"), report.run)
        create_table_artifact(_table(report), _key(report, "table"), report.run)
    event = INCOMPLETE if report.exit_status else COMPLETED
    payload = {
        "job": report.job,
        "exit_status": report.exit_status,
        report.nouns.units: report.units,
        **{name: getattr(report.counts, name) for name in COUNTERS},
        "failures": len(report.failures),
        "windows": len(report.windows),
        "incomplete_windows": len(report.incomplete),
    }
    _emit(event, report.run, payload)


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


def _emit(event: str, run: str, payload: dict[str, Any]) -> None:
    resource = {"prefect.resource.id": f"pith.run.{run}", "prefect.resource.name": run}
    emit_event(event, resource=resource, payload=payload)


@contextmanager
def _log_in_ui() -> Iterator[None]:
    """Send what the jobs log to the run's log in the UI too.

    With a handler of its own, for a worker starts flows without the variable
    PREFECT_LOGGING_EXTRA_LOGGERS; only for the run, for Prefect warns of lines outside of one.
    """
    handler = APILogHandler()
    LOGGER.addHandler(handler)
    LOGGER.setLevel(logging.INFO)
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)


@contextmanager
def _forgiven() -> Iterator[None]:
    """Log that Prefect's server does not take what is shown, instead of failing the run."""
    try:
        yield
    except (httpx.HTTPError, PrefectException) as error:
        LOGGER.warning("Prefect's server did not take an artifact: %s", error)
