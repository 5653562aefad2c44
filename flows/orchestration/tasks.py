"""Prefect around the jobs: steps as tasks, and what a run shows in the UI.

With the flows and `deployments` all that imports Prefect. Nothing here can fail a run: its papers
are committed and its report is on disk, so a server that is away costs the view alone.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast
from uuid import UUID

import httpx
from prefect import runtime, task
from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.client.schemas.responses import SetStateStatus
from prefect.context import TaskRunContext
from prefect.exceptions import Pause, PrefectException, TerminationSignal
from prefect.logging.handlers import APILogHandler
from prefect.states import AwaitingRetry, Cancelled, Completed

from flows.common.limits import Limits
from flows.common.process.progress import LOGGER
from flows.common.process.signals import handing_on
from flows.common.terminal import sentence
from flows.ingest.progress.text import one_line
from flows.ingest.progress.value import RunProgress
from flows.ingest.steps import Step, StepName, StepRunner, named
from flows.jobs.report import RunReport
from flows.orchestration.artifacts import forgiven, publish, publish_failure, result_message
from flows.orchestration.errors import UnreachableRunError

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

    def run(self, step: Step, name: StepName, work: Callable[[], _T]) -> _T:
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
            context = TaskRunContext.get()
            if context and callable(name):
                # Sent with the run's last state: what a step was about is known at its end.
                context.task_run.name = sentence(name())

        # Of it Prefect makes the key by which the runs of one task belong together.
        step_work.__qualname__ = step.name.lower()
        # A function, for Prefect fills in the braces of a text, which a file's name may have.
        as_task = task(
            name=step.value,
            task_run_name=lambda: sentence(named(name)),
            cache_policy=NO_CACHE,
        )
        as_task(step_work)()
        return returned[0]

    def show(self, progress: RunProgress) -> None:
        """Show nothing: the task runs do."""


def run_in_flow(job: Job, tags: Sequence[str] = ()) -> RunReport:
    """Run a job within a flow run: steps as tasks, its log, artifacts and event in the UI.

    The flow run gets `tags` and is Completed, with a message that says what became of it and where
    the report is. It is Failed by an `UnreachableRunError` when arXiv was not reached, so that
    Prefect can retry it. Cancelled, it stops between two commits, and the same run again goes on.
    """
    _add_tags(tags)
    try:
        with _log_in_ui(), handing_on():
            # The job reads its configuration later, in which limits are no setting.
            report = job(ShownProgress(Limits()))
    except TerminationSignal:
        _end_where_cancelled()
        raise
    except Exception as error:
        publish_failure(error)
        raise
    publish(report)
    if report.unreachable:
        raise UnreachableRunError(report)
    state: State[RunReport] = Completed(message=result_message(report), data=report)
    # Prefect takes a returned state as the run's end, and gives its data to the caller.
    return cast("RunReport", state)


def _end_where_cancelled() -> None:
    """Tell the server that a run which it wants to end has ended.

    Prefect 3.7 tells it too, but looks only every three seconds whether the process is gone.
    """
    run_id = UUID(runtime.flow_run.id)
    ended: State[Any] = Cancelled(message="Cancelled: the same run again goes on where it stopped")
    with forgiven(), get_client(sync_client=True) as client:
        state = client.read_flow_run(run_id).state
        if state and state.is_cancelling():
            client.set_flow_run_state(run_id, ended)


def _add_tags(tags: Sequence[str]) -> None:
    """Add tags to those that the flow run has of its deployment or its form."""
    both = sorted({*runtime.flow_run.tags, *tags})
    with forgiven(), get_client(sync_client=True) as client:
        client.update_flow_run(UUID(runtime.flow_run.id), tags=both).raise_for_status()


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
        with forgiven():
            # Its type tells of a coroutine too, which asynchronous callers get.
            self._artifact = cast("UUID", create_progress_artifact(0.0, key, "started"))

    def show(self, progress: RunProgress) -> None:
        """Show how far the run is, where the server takes it."""
        if self._artifact:
            percent = 100.0 * (progress.share or 0.0)
            with forgiven():
                update_progress_artifact(self._artifact, percent, one_line(progress))


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
