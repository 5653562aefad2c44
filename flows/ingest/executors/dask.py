"""A crew of Dask workers: of a cluster that is there already, or of one for this run alone.

Not by Prefect's `DaskTaskRunner`, for which each unit would be a Prefect task, of which a server
records about 30 a second.
"""

import logging
import pickle
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar
from uuid import uuid4

import dask
from distributed import CancelledError, Client, Future, KilledWorker, LocalCluster
from distributed.client import ClosedClientError
from distributed.exceptions import WorkerStartTimeoutError
from distributed.utils import get_mp_context

from flows.common.config import BUILDER_VERSION, Config
from flows.common.errors import ConfigError, WorkerError
from flows.common.process.progress import LOGGER
from flows.common.process.signals import unbroken
from flows.ingest.executors.dask_worker import be_ready, do
from flows.ingest.executors.processes import MAX_ATTEMPTS, Crew, Work, start_helpers
from flows.ingest.executors.shared_folder import marked
from flows.ingest.prepare import Desk
from flows.ingest.worker_context import Orders

PATIENCE = 300.0
"""Seconds without any worker after which a run gives up: time to replace a machine."""

LOOK_AFTER = 10.0
"""Seconds of waiting for a result, after which it is asked whether there are workers at all."""

INLINE_BYTES = 2**20
"""Work of more bytes, as a part of a packed snapshot, goes to a worker, not into the graph."""

_LOCAL_SETTINGS = {
    "distributed.worker.profile.enabled": False,
    # As the local runner's: what all workers import is imported once.
    "distributed.worker.multiprocessing-method": "forkserver",
}

_T = TypeVar("_T")


class DaskCrew:
    """Workers of a scheduler, which may come and go."""

    def __init__(self, client: Client, orders: Orders, *, is_here: bool) -> None:
        """Send every work with `orders`, by which a worker makes its desk."""
        self.is_here = is_here
        self._client = client
        self._where = str(client.scheduler_info()["address"])
        self._orders = pickle.dumps(orders)

    @property
    def size(self) -> int:
        """How many threads the workers have now; 1 while there is none."""
        return max(1, self._threads())

    def submit(self, work: Work[_T]) -> "_Sent[_T]":
        """Send the work to the scheduler."""
        data = pickle.dumps(work)
        return _Sent(self, data, self.send(data))

    def send(self, work: bytes) -> "Future[Any]":
        """Send a pickled work, as a task of its own each time."""
        with self._asking():
            sent = self._client.scatter(work, hash=False) if len(work) > INLINE_BYTES else work
            return self._client.submit(
                do, BUILDER_VERSION, self._orders, sent, key=f"pith-{uuid4().hex}", pure=False
            )

    def wait_for_workers(self) -> None:
        """Wait until there is a worker; raises `WorkerError` when none comes, or no scheduler."""
        if self._threads():
            return
        LOGGER.warning("the Dask scheduler at %s has no workers; waiting for one", self._where)
        with self._asking():
            self._client.wait_for_workers(1, timeout=PATIENCE)

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
                f"the Dask scheduler at {self._where} had no workers for {PATIENCE:.0f} s; start "
                f"some with 'dask worker {self._where} --nthreads 1', and run again"
            ) from None
        except (OSError, ClosedClientError):
            raise gone from None


@dataclass(slots=True)
class _Sent(Generic[_T]):
    crew: DaskCrew
    work: bytes
    future: "Future[Any]"
    attempts: int = 1

    def result(self) -> _T:
        """Wait; work whose workers died, or that was lost, is done again, with the same result.

        The scheduler gives it to some other workers first (`allowed-failures` in Dask's settings).
        """
        while True:
            is_done = self.future.done()
            try:
                result: _T = self.future.result(timeout=None if is_done else LOOK_AFTER)
            except TimeoutError:
                if is_done:  # so the work itself raised it
                    raise
                self.crew.wait_for_workers()
            except (KilledWorker, CancelledError) as error:
                self._do_again(error)
            else:
                self.future.release()
                return result

    def _do_again(self, error: Exception) -> None:
        if self.attempts == MAX_ATTEMPTS:
            raise WorkerError(
                "Dask workers ended again and again while they did the same work; their logs tell "
                f"why, which may be a want of memory: {error}"
            ) from None
        self.attempts += 1
        reason = str(error).partition("\n")[0]
        LOGGER.warning("Dask lost a unit of work, which is done again: %s", reason)
        self.crew.wait_for_workers()
        self.future = self.crew.send(self.work)


@contextmanager
def dask_crew(config: Config, desk: Desk, size: int) -> Iterator[Crew]:
    """Give the crew of the configured cluster, or of one with `size` workers for this run.

    Raises `ConfigError` where the scheduler does not answer, or a worker cannot do this run's work.
    """
    with ExitStack() as stack:
        if isinstance(config.data_dir, Path):
            stack.enter_context(marked(config.data_dir, desk.run))
        address = config.dask.address
        client = stack.enter_context(_connected(address) if address else _local_cluster(size))
        crew = DaskCrew(client, _orders(config, desk), is_here=not address)
        crew.wait_for_workers()
        crew.submit(be_ready).result()
        yield crew


def _orders(config: Config, desk: Desk) -> Orders:
    """Tell workers where things are, in whatever folder they were started."""
    identity = config.identity
    key_file = identity.key_file.absolute()
    data_dir = config.data_dir
    places = {
        "data_dir": data_dir.absolute() if isinstance(data_dir, Path) else data_dir,
        "identity": identity.model_copy(update={"key_file": key_file}),
    }
    sent = config.model_copy(update=places)
    return Orders(sent, desk.run, desk.issuer.fingerprint)


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
def _local_cluster(size: int) -> Iterator[Client]:
    """Start a cluster and end it, each as a whole: Dask does not take it well to be interrupted."""
    with dask.config.set(_LOCAL_SETTINGS), ExitStack() as stack:
        get_mp_context().set_forkserver_preload(
            ["distributed.nanny", "flows.ingest.units", __name__]
        )
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
