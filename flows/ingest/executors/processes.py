"""An executor of worker processes on this machine, which end when this one does."""

import ctypes
import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator, Sequence
from concurrent import futures
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from multiprocessing import forkserver, resource_tracker
from typing import Generic, TypeVar

import pyarrow as pa

from flows.common.config import Config
from flows.common.errors import PithError
from flows.common.keys import kept_from_children
from flows.common.process import signals as stopping
from flows.common.process.pools import ENDED_ALONE, end_pool
from flows.common.process.signals import unbroken
from flows.ingest.executors.executor import Future, RetriedFuture, Task, WorkerDiedError
from flows.ingest.worker_context import WorkerContext, WorkerSetup, open_context
from transforms import Issuer

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of <malloc.h>
_KEPT_BYTES = 2**29

_T = TypeVar("_T")


class ProcessExecutor:
    """An executor of processes, which end when this one does, however it ends."""

    def __init__(
        self, config: Config, context: WorkerContext, size: int, preload: Sequence[str] = ()
    ) -> None:
        """Start no process yet: the first task does. `context` is this process's own.

        Its issuer is sent to each process through the pipe from which that starts.
        """
        self.size = size
        self.is_here = True
        self._attempts = config.limits.worker_attempts
        setup = WorkerSetup(config, context.run, context.issuer.fingerprint)
        self._begin_worker = partial(_begin_worker, setup, context.issuer)
        self._preload = [*preload, __name__]
        self._executor = self._renewed()

    def start_importing(self) -> None:
        """Start the process that imports what all have; the first task waits for it."""
        with kept_from_children(), unbroken():
            start_helpers(signal.SIGINT)

    def submit(self, task: Task[_T]) -> Future[_T]:
        """Send the task to the next process that is free; one that dies is replaced."""
        return RetriedFuture(self, task, self._attempts)

    def begin(self, task: Task[_T]) -> Future[_T]:
        """Send the task to the next process that is free, once."""
        # The processes, and the one that forks them, start here when there are too few; unbroken,
        # or a process that was just born would be known to nobody.
        with kept_from_children(), unbroken():
            start_helpers(signal.SIGINT)
            try:
                future = self._executor.submit(run_task, task)
            except (BrokenExecutor, OSError):
                # The latter where one dies while another one is started, whose pipes are closed.
                end_pool(self._executor, cancel=False)
                self._executor = self._renewed()
                future = self._executor.submit(run_task, task)
        return _ProcessFuture(future, self._attempts)

    def replace_dead(self, error: WorkerDiedError) -> None:
        """Do nothing: `begin` makes new processes where the old ones broke."""

    def stop(self) -> None:
        """Have the processes end at once, though they are at work; then `close` is due."""
        for process in list((self._executor._processes or {}).values()):  # noqa: SLF001 - from 3.14 on it has a method for that
            process.terminate()

    def close(self) -> None:
        """End the processes; what was not begun is not done."""
        end_pool(self._executor, cancel=True)

    def _renewed(self) -> ProcessPoolExecutor:
        # Not fork, for the flow's process may have threads; and no new interpreter for each.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(self._preload)
        with kept_from_children():  # the tracker of its semaphores
            return ProcessPoolExecutor(self.size, context, initializer=self._begin_worker)


@dataclass(frozen=True, slots=True)
class _ProcessFuture(Generic[_T]):
    future: "futures.Future[_T]"
    attempts: int

    def result(self) -> _T:
        try:
            return self.future.result()
        except BrokenExecutor:
            raise WorkerDiedError(
                f"a worker process ended {self.attempts} times {ENDED_ALONE}"
            ) from None


@contextmanager
def open_processes(
    config: Config, context: WorkerContext, size: int, preload: Sequence[str]
) -> Iterator[ProcessExecutor]:
    """Yield an executor of so many processes, which end with the block."""
    with closing(ProcessExecutor(config, context, size, preload)) as executor:
        try:
            executor.start_importing()
            yield executor
        except BaseException:
            executor.stop()
            raise


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


_begun: list[tuple[WorkerSetup, Issuer]] = []


def _begin_worker(setup: WorkerSetup, issuer: Issuer) -> None:
    """Set up a worker process, without what could fail: that is for `_context` to raise."""
    stopping.follow()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Batches bound what is alive, and nothing that is made refers back to itself.
    gc.disable()
    _keep_memory()
    _begun.append((setup, issuer))


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
def _context() -> WorkerContext:
    try:
        return open_context(*_begun[-1])
    except PithError as error:
        raise type(error)(f"the worker process {os.getpid()}: {error}") from None


def run_task(task: Task[_T]) -> _T:
    """Return what a task returns, in a worker process."""
    return task(_context())
