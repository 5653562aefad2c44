"""Who does units of work: this process, worker processes on all cores, or Dask (`dask_crew`)."""

import ctypes
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Future, ProcessPoolExecutor
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import forkserver, resource_tracker
from typing import Any, Generic, Protocol, TypeVar

import pyarrow as pa

from flows.common.config import Config
from flows.common.errors import ConfigError, PithError, WorkerError
from flows.common.keys import kept_from_children
from flows.common.process import signals as stopping
from flows.common.process.signals import unbroken
from flows.ingest.prepare import Desk
from flows.ingest.worker_context import Orders, open_desk
from transforms import Issuer

MAX_ATTEMPTS = 3

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of <malloc.h>
_KEPT_BYTES = 2**29

_T = TypeVar("_T")
Work = Callable[[Desk], _T]
"""What a worker does at its desk; it must be possible to pickle it, and to do it again."""


class Crew(Protocol):
    """Takes work, and gives its results in whatever order they are asked for."""

    @property
    def size(self) -> int:
        """How many works are done at the same time."""

    @property
    def is_here(self) -> bool:
        """Whether all is done on this machine, which then knows what was written and not synced."""

    def submit(self, work: Work[_T]) -> "Ticket[_T]":
        """Take a work; it may begin at once, or when its result is asked for."""


class Ticket(Protocol[_T]):  # type: ignore[misc]  # covariant by its one use
    """A work that was submitted."""

    def result(self) -> _T:
        """Wait for the result; raises what the work raised."""


@dataclass(frozen=True, slots=True)
class Alone:
    """A crew of this process alone: each work is done when its result is asked for."""

    desk: Desk
    size: int = 1
    is_here: bool = True

    def submit(self, work: Work[_T]) -> "_Later[_T]":
        """Put the work off until its result is asked for."""
        return _Later(work, self.desk)


@dataclass(frozen=True, slots=True)
class _Later(Generic[_T]):
    work: Work[_T]
    desk: Desk

    def result(self) -> _T:
        return self.work(self.desk)


class Pool:
    """A crew of processes, which end when this one does, however it ends."""

    def __init__(self, config: Config, desk: Desk, size: int) -> None:
        """Start no process yet: the first work does. `desk` is this process's own.

        Its issuer is sent to each process through the pipe from which that starts.
        """
        self.size = size
        self.is_here = True
        orders = Orders(config, desk.run, desk.issuer.fingerprint)
        self._begin = partial(_begin_work, orders, desk.issuer)
        self._executor = self._renewed()

    def submit(self, work: Work[_T]) -> "_Submitted[_T]":
        """Send the work to the next process that is free."""
        return _Submitted(self, work, self._start(work))

    def stop(self) -> None:
        """Tell the processes to end at once, though they are at work; then `close` is due."""
        for process in list((self._executor._processes or {}).values()):  # noqa: SLF001 - from 3.14 on it has a method for that
            process.terminate()

    def close(self) -> None:
        """End the processes; what was not begun is not done."""
        self._executor.shutdown(cancel_futures=True)

    def _start(self, work: Work[_T]) -> "Future[_T]":
        # The processes, and the one that forks them, start here when there are too few; unbroken,
        # or a process that was just born would be known to nobody.
        with kept_from_children(), unbroken():
            start_helpers(signal.SIGINT)
            try:
                return self._executor.submit(_do, work)
            except BrokenExecutor:
                self._executor = self._renewed()
                return self._executor.submit(_do, work)

    def _renewed(self) -> ProcessPoolExecutor:
        # Not fork, for the flow's process may have threads; and no new interpreter for each.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["flows.ingest.units", "flows.ingest.executors.processes"])
        with kept_from_children():  # the tracker of its semaphores
            return ProcessPoolExecutor(self.size, context, initializer=self._begin)


def start_helpers(*blocked: signal.Signals) -> None:
    """Start what `multiprocessing` keeps beside its processes, so that it ends without a word.

    A signal to the whole group, such as Ctrl-C on a terminal, reaches these too: the fork server
    would show where it was importing, and so would the workers that it just made. So it is born
    with such signals blocked, and they are.
    """
    with _environment("PYTHONWARNINGS", "ignore::UserWarning"):
        # It removes the semaphores of a process that was killed, and warns of each.
        resource_tracker.ensure_running()
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        forkserver.ensure_running()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


@dataclass(slots=True)
class _Submitted(Generic[_T]):
    pool: Pool
    work: Work[_T]
    future: "Future[_T]"
    attempts: int = 1

    def result(self) -> _T:
        """Wait; a process that died is replaced, and its work done again, with the same result."""
        while True:
            try:
                return self.future.result()
            except BrokenExecutor:
                if self.attempts == MAX_ATTEMPTS:
                    raise WorkerError(
                        f"a worker process ended {MAX_ATTEMPTS} times without an error of its own; "
                        "the system may be short of memory: set 'workers' to fewer, and run again"
                    ) from None
                self.attempts += 1
                self.future = self.pool._start(self.work)  # noqa: SLF001 - its own part


@contextmanager
def hired(config: Config, desk: Desk, units: int | None) -> Iterator[Crew]:
    """Give the crew for so many units (None: unknown); `desk` is this process's own.

    A process takes half a second to start, so there are none for less than two units each; a
    cluster that is there already is always used.
    """
    cores = config.workers or len(os.sched_getaffinity(0))
    size = cores if units is None else min(cores, units // 2)
    if config.runner == "dask" and (size > 1 or config.dask.address):
        with _dask_crew(config, desk, size) as crew:
            yield crew
    elif size > 1:
        with _pool(config, desk, size) as pool:
            yield pool
    else:
        yield Alone(desk)


@contextmanager
def _pool(config: Config, desk: Desk, size: int) -> Iterator[Pool]:
    with closing(Pool(config, desk, size)) as pool:
        try:
            yield pool
        except BaseException:
            pool.stop()
            raise


def _dask_crew(config: Config, desk: Desk, size: int) -> AbstractContextManager[Crew]:
    try:
        from flows.ingest.executors.dask import dask_crew
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"runner is dask, which needs {error.name}: pip install 'pith-ingest[dask]'"
        ) from None
    return dask_crew(config, desk, size)


_begun: list[tuple[Orders, Issuer]] = []


def _begin_work(orders: Orders, issuer: Issuer) -> None:
    """Set up a worker process, without what could fail: that is for `_desk` to raise."""
    stopping.follow()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Batches bound what is alive, and nothing that is made refers back to itself.
    gc.disable()
    _keep_memory()
    _begun.append((orders, issuer))


def _keep_memory() -> None:
    """Have glibc keep what a batch gives back: the kernel would clear it for the next one.

    Measured, that was 5 us of a paper's 220. Elsewhere than with glibc nothing changes.
    """
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallopt"):
        libc.mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES)
        libc.mallopt(_M_MMAP_THRESHOLD, _KEPT_BYTES)
        pa.set_memory_pool(pa.system_memory_pool())


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)


@cache
def _desk() -> Desk:
    try:
        return open_desk(*_begun[-1])
    except PithError as error:
        raise type(error)(f"the worker process {os.getpid()}: {error}") from None


def _do(work: Work[Any]) -> Any:  # noqa: ANN401 - whatever the work gives
    return work(_desk())
