"""How a Dask worker runs a task: it opens its own context, and its errors say which worker it is.

Everything comes as bytes, so that Dask looks for nothing in it and a worker of another version can
say so before it reads them.
"""

import os
import pickle
import socket
import threading
from pathlib import Path

from flows.common.config import BUILDER_VERSION
from flows.common.errors import ConfigError, PithError
from flows.common.keys import has_key
from flows.common.process.collector import no_collections
from flows.ingest.executors.executor import Task
from flows.ingest.executors.shared_folder import check_shared
from flows.ingest.worker_context import WorkerContext, WorkerSetup, open_context


class _Own(threading.local):
    """A thread's context: SQLite's connection and the signer are used on one thread alone."""

    setup: bytes | None = None
    context: WorkerContext | None = None


_own = _Own()


def run_task(version: str, setup: bytes, task: bytes) -> object:
    """Return what a pickled task returns; errors that a user can act on name this worker."""
    try:
        _check_version(version)
        context = _context(setup)
        unpickled: Task[object] = pickle.loads(task)  # noqa: S301 - from the flow's process
        with no_collections():
            return unpickled(context)
    except PithError as error:
        here = f"process {os.getpid()} on {socket.gethostname()}"
        raise type(error)(f"the Dask worker {here}: {error}") from None


def check_worker(context: WorkerContext) -> None:
    """Do nothing, with a context that was found good."""


def _check_version(version: str) -> None:
    if version != BUILDER_VERSION:
        raise ConfigError(f"has {BUILDER_VERSION}, but this is {version}: install the same there")


def _context(setup: bytes) -> WorkerContext:
    """Return this thread's context for the run with this setup."""
    if _own.context is None or _own.setup != setup:
        if _own.context is not None:
            _own.context.catalog.close()
            _own.context = None
        unpickled: WorkerSetup = pickle.loads(setup)  # noqa: S301 - as above
        _own.context, _own.setup = _checked_context(unpickled), setup
    return _own.context


def _checked_context(setup: WorkerSetup) -> WorkerContext:
    if isinstance(setup.config.data_dir, Path):
        check_shared(setup.config.data_dir, setup.run)
    identity = setup.config.identity
    if not has_key(identity):
        raise ConfigError(
            f"has no signing key: put it into {identity.key_file} there, or into PITH_SIGNING_KEY"
        )
    return open_context(setup)
