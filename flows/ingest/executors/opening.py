"""Which executor does the units of a run: this process, processes on all cores, or Dask."""

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager

from flows.common.config import Config
from flows.common.errors import ConfigError
from flows.ingest.executors.executor import Executor, InlineExecutor
from flows.ingest.executors.processes import open_processes
from flows.ingest.worker_context import WorkerContext


@contextmanager
def open_executor(
    config: Config, context: WorkerContext, units: int | None, preload: Sequence[str] = ()
) -> Iterator[Executor]:
    """Yield the executor for so many units (None: unknown); `context` is this process's own.

    `preload` names the modules of the units, for workers to import once. A process takes half a
    second to start, so there are none for less than two units each; a cluster that is there already
    is always used.
    """
    cores = workers_here(config)
    size = cores if units is None else min(cores, units // 2)
    if config.runner == "dask" and (size > 1 or config.dask.address):
        with _open_dask(config, context, size, preload) as executor:
            yield executor
    elif size > 1:
        with open_processes(config, context, size, preload) as executor:
            yield executor
    else:
        yield InlineExecutor(context)


def workers_here(config: Config) -> int:
    """Return how many processes work at the same time on this machine at the most."""
    return config.workers or len(os.sched_getaffinity(0))


def _open_dask(
    config: Config, context: WorkerContext, size: int, preload: Sequence[str]
) -> AbstractContextManager[Executor]:
    try:
        from flows.ingest.executors.dask import open_dask
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"runner is dask, which needs {error.name}: pip install 'pith-ingest[dask]'"
        ) from None
    return open_dask(config, context, size, preload)
