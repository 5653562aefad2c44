"""Executors in the shape of `concurrent.futures`: submit a task, and ask its future for the result.

Here are the protocol, the executor of this process alone, and the one retry for workers that died.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from flows.common.errors import WorkerError
from flows.common.process.collector import no_collections
from flows.ingest.worker_context import WorkerContext

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)

Task = Callable[[WorkerContext], _T]
"""Done by a worker with its context; it must be possible to pickle it, and to do it again."""


class Future(Protocol[_T_co]):
    """A task that was submitted."""

    def result(self) -> _T_co:
        """Wait for the result; raises what the task raised."""


class Executor(Protocol):
    """Takes tasks, and hands out their results in whatever order they are asked for."""

    @property
    def size(self) -> int:
        """How many tasks are done at the same time."""

    @property
    def is_here(self) -> bool:
        """Whether all is done on this machine, which then knows what was written and not synced."""

    def submit(self, task: Task[_T]) -> Future[_T]:
        """Take a task; it may begin at once, or when its result is asked for."""


@dataclass(frozen=True, slots=True)
class InlineExecutor:
    """An executor of this process alone: each task is done when its result is asked for."""

    context: WorkerContext
    size: int = 1
    is_here: bool = True

    def submit(self, task: Task[_T]) -> Future[_T]:
        """Put the task off until its result is asked for."""
        return _InlineFuture(task, self.context)


@dataclass(frozen=True, slots=True)
class _InlineFuture(Generic[_T]):
    task: Task[_T]
    context: WorkerContext

    def result(self) -> _T:
        with no_collections():
            return self.task(self.context)


class WorkerDiedError(Exception):
    """A worker ended during a task without an error; the message is for the user in the end."""


class Workers(Protocol):
    """Where tasks are begun, once each time, by workers that may die."""

    def begin(self, task: Task[_T]) -> Future[_T]:
        """Begin a task; its future raises `WorkerDiedError` where its worker dies."""

    def replace_dead(self, error: WorkerDiedError) -> None:
        """Do what is due before a task that was lost is begun again."""


class RetriedFuture(Generic[_T]):
    """A task that is begun again, with the same result, where its worker died."""

    def __init__(self, workers: Workers, task: Task[_T], attempts: int) -> None:
        """Begin the task, of `attempts` in all."""
        self._workers, self._task, self._attempts = workers, task, attempts
        self._future = workers.begin(task)

    def result(self) -> _T:
        """Wait; raises `WorkerError` when the workers of all attempts died of the task."""
        for _ in range(self._attempts - 1):
            try:
                return self._future.result()
            except WorkerDiedError as error:
                self._workers.replace_dead(error)
                self._future = self._workers.begin(self._task)
        try:
            return self._future.result()
        except WorkerDiedError as error:
            raise WorkerError(str(error)) from None
