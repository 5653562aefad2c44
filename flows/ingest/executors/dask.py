"""An executor of Dask workers: of a cluster that is there already, or of one for this run alone.

Not by Prefect's `DaskTaskRunner`, for which each unit would be a Prefect task, of which a server
records about 30 a second.
"""

import logging
import pickle
import signal
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar, cast
from uuid import uuid4

import dask
import distributed
from distributed import CancelledError, Client, KilledWorker, LocalCluster
from distributed.client import ClosedClientError
from distributed.exceptions import WorkerStartTimeoutError
from distributed.utils import get_mp_context

from flows.common.config import BUILDER_VERSION, Config
from flows.common.errors import ConfigError, WorkerError
from flows.common.process.progress import LOGGER
from flows.common.process.signals import unbroken
from flows.ingest.executors.dask_worker import check_worker, run_task
from flows.ingest.executors.executor import Future, RetriedFuture, Task, WorkerDiedError
from flows.ingest.executors.processes import start_helpers
from flows.ingest.executors.shared_folder import marked
from flows.ingest.worker_context import WorkerContext, WorkerSetup

_LOCAL_SETTINGS = {
    "distributed.worker.profile.enabled": False,
    # As the local runner's: what all workers import is imported once.
    "distributed.worker.multiprocessing-method": "forkserver",
}

_T = TypeVar("_T")


class DaskExecutor:
    """An executor of a scheduler's workers, which may come and go."""

    def __init__(self, client: Client, setup: WorkerSetup, *, is_here: bool) -> None:
        """Send every task with `setup`, by which a worker opens its context."""
        self.is_here = is_here
        self._limits = setup.config.limits
        self._client = client
        self._where = str(client.scheduler_info()["address"])
        self._setup = pickle.dumps(setup)

    @property
    def size(self) -> int:
        """How many threads the workers have now; 1 while there is none."""
        return max(1, self._threads())

    def submit(self, task: Task[_T]) -> Future[_T]:
        """Send the task to the scheduler; where its workers die, again."""
        return RetriedFuture(self, task, self._limits.worker_attempts)

    def begin(self, task: Task[_T]) -> Future[_T]:
        """Send the task to the scheduler, under a key of its own each time."""
        data = pickle.dumps(task)
        is_large = len(data) > self._limits.dask_inline_bytes
        with self._asking():
            sent = self._client.scatter(data, hash=False) if is_large else data
            future = self._client.submit(
                run_task, BUILDER_VERSION, self._setup, sent, key=f"pith-{uuid4().hex}", pure=False
            )
        sent_future = cast("distributed.Future[_T]", future)
        return _DaskFuture(self, sent_future, self._limits.dask_check_seconds)

    def replace_dead(self, error: WorkerDiedError) -> None:
        """Wait until there is a worker again."""
        reason = str(error.__cause__).partition("\n")[0]
        LOGGER.warning("Dask lost a unit of work, which is done again: %s", reason)
        self.wait_for_workers()

    def wait_for_workers(self) -> None:
        """Wait until there is a worker; raises `WorkerError` when none comes, or no scheduler."""
        if self._threads():
            return
        LOGGER.warning("the Dask scheduler at %s has no workers; waiting for one", self._where)
        with self._asking():
            self._client.wait_for_workers(1, timeout=self._limits.dask_wait_seconds)

    def _threads(self) -> int:
        with self._asking():
            threads: dict[str, int] = self._client.nthreads()
        return sum(threads.values())

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Turn what goes wrong with the scheduler into a `WorkerError`."""
        gone = WorkerError(
            f"lost the Dask scheduler at {self._where}; when it is there again, run again: what "
            "was committed stays, and the rest is done"
        )
        if self._client.status == "closed":
            raise gone
        try:
            yield
        except WorkerStartTimeoutError:
            raise WorkerError(
                f"the Dask scheduler at {self._where} had no workers for "
                f"{self._limits.dask_wait_seconds:.0f} s; start some with 'dask worker "
                f"{self._where} --nthreads 1', and run again"
            ) from None
        except (OSError, ClosedClientError):
            raise gone from None


@dataclass(frozen=True, slots=True)
class _DaskFuture(Generic[_T]):
    executor: DaskExecutor
    future: "distributed.Future[_T]"
    check_seconds: float

    def result(self) -> _T:
        """Wait; raises `WorkerDiedError` for a task whose workers died, or that was lost.

        The scheduler hands it to some other workers first (`allowed-failures` in Dask's settings).
        """
        while True:
            is_done = self.future.done()
            try:
                result: _T = self.future.result(timeout=None if is_done else self.check_seconds)
            except TimeoutError:
                if is_done:  # so the task itself raised it
                    raise
                self.executor.wait_for_workers()
            except (KilledWorker, CancelledError) as error:
                raise WorkerDiedError(
                    "Dask workers ended again and again while they did the same work; their logs "
                    f"tell why, which may be a want of memory: {error}"
                ) from error
            else:
                self.future.release()
                return result


@contextmanager
def open_dask(
    config: Config, context: WorkerContext, size: int, preload: Sequence[str]
) -> Iterator[DaskExecutor]:
    """Yield an executor of the configured cluster, or of one with `size` workers for this run.

    Raises `ConfigError` where the scheduler does not answer, or a worker cannot do this run's work.
    """
    with ExitStack() as stack:
        if isinstance(config.data_dir, Path):
            stack.enter_context(marked(config.data_dir, context.run))
        address = config.dask.address
        connected = _connected(address) if address else _local_cluster(size, preload)
        client = stack.enter_context(connected)
        executor = DaskExecutor(client, _worker_setup(config, context), is_here=not address)
        executor.wait_for_workers()
        executor.submit(check_worker).result()
        yield executor


def _worker_setup(config: Config, context: WorkerContext) -> WorkerSetup:
    """Return where things are, for workers in whatever folder they were started."""
    identity = config.identity
    key_file = identity.key_file.absolute()
    data_dir = config.data_dir
    locations = {
        "data_dir": data_dir.absolute() if isinstance(data_dir, Path) else data_dir,
        "identity": identity.model_copy(update={"key_file": key_file}),
    }
    sent = config.model_copy(update=locations)
    return WorkerSetup(sent, context.run, context.issuer.fingerprint)


@contextmanager
def _connected(address: str) -> Iterator[Client]:
    try:
        client = Client(address, set_as_default=False)
    except OSError:
        raise ConfigError(
            f"no Dask scheduler answers at {address}: start one with 'dask scheduler', or leave "
            "dask.address out for a cluster of this machine's own"
        ) from None
    with client:
        yield client


@contextmanager
def _local_cluster(size: int, preload: Sequence[str]) -> Iterator[Client]:
    """Start a cluster and end it, each as a whole: Dask does not take it well to be interrupted."""
    with dask.config.set(_LOCAL_SETTINGS), ExitStack() as stack:
        get_mp_context().set_forkserver_preload(["distributed.nanny", *preload, __name__])
        with unbroken():
            # Its own processes are for it alone to end.
            start_helpers(signal.SIGINT, signal.SIGTERM)
            cluster = LocalCluster(
                n_workers=size,
                threads_per_worker=1,
                scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                silence_logs=logging.CRITICAL,  # its workers miss the scheduler when it ends
            )
            stack.callback(_close, cluster)
            client = Client(cluster, set_as_default=False)
            stack.callback(_close, client)
        yield client


def _close(closing: LocalCluster | Client) -> None:
    with unbroken():
        closing.close()
