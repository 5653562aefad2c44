"""A run's progress is shown: on the terminal or in the log, in `run.json`, and by its steps."""

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from contextvars import copy_context
from functools import partial
from threading import Event, Thread

from flows.common.errors import PithError
from flows.common.process.clock import utc_now
from flows.common.process.progress import LOGGER
from flows.common.process.signals import asked_by, unbroken
from flows.common.terminal import sentence
from flows.ingest.progress.meter import RunName
from flows.ingest.progress.run_file import write_run_file
from flows.ingest.progress.text import one_line
from flows.ingest.progress.value import RunProgress, RunState
from flows.ingest.run import Run
from flows.store.layout import Layout

LINE_SECONDS = 30.0
FILE_SECONDS, OBJECT_SECONDS = 1.0, 30.0
STEP_SECONDS = 3.0
END_SECONDS = 2.0
"""So long the end waits for who shows it."""

_Show = Callable[[RunProgress], None]
_Read = Callable[[], RunProgress]


@contextmanager
def shown(run: Run) -> Iterator[None]:
    """Show a run's progress until the block ends, and how it ended."""
    name = RunName(run.name, run.job, run.started_at)

    def read() -> RunProgress:
        return run.progress.read(name, utc_now())

    layout = run.store.layout
    keep = partial(_keep, layout)
    keep(read())
    with ExitStack() as viewers:
        every = OBJECT_SECONDS if layout.objects else FILE_SECONDS
        viewers.enter_context(_repeated(keep, read, every))
        viewers.enter_context(_repeated(run.steps.show, read, STEP_SECONDS))
        viewers.enter_context(in_front(read))
        with _noting_end(run):
            yield


def in_front(read: _Read) -> AbstractContextManager[None]:
    """Show what `read` returns where a person looks: a bar on a terminal, lines elsewhere."""
    if has_terminal():
        # 40 ms that only a terminal needs.
        from flows.ingest.progress.bar import live_bar

        return live_bar(read)
    return _repeated(_log, read, LINE_SECONDS)


def has_terminal() -> bool:
    """Return whether standard error is a terminal on which a bar can move, and is wanted."""
    is_dumb = os.environ.get("TERM", "").lower() in {"", "dumb", "unknown"}
    return sys.stderr.isatty() and not is_dumb and LOGGER.isEnabledFor(logging.INFO)


@contextmanager
def _noting_end(run: Run) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        run.progress.end(RunState.FAILED, sentence(str(error)))
        raise
    except BaseException:
        run.progress.end(RunState.STOPPED, asked_by() or "cancelled")
        raise
    problem = run.unreachable or run.stopped
    run.progress.end(
        RunState.FAILED if problem else RunState.DONE, sentence(problem) if problem else None
    )


@contextmanager
def _repeated(show: _Show, read: _Read, seconds: float) -> Iterator[None]:
    """Show the progress every so many seconds and at the end, by a thread of its own.

    So none of them waits for another one, nor the run for them, such as for a server that is away.
    """
    ended = Event()

    def work() -> None:
        while not ended.wait(seconds):
            show(read())
        show(read())

    # By the caller's context Prefect knows the flow run that the lines belong to.
    thread = Thread(target=copy_context().run, args=(work,), name="progress", daemon=True)
    thread.start()
    try:
        yield
    finally:
        with unbroken():
            ended.set()
            thread.join(END_SECONDS)


def _keep(layout: Layout, progress: RunProgress) -> None:
    # What keeps this from being written stops the run elsewhere, or is none of its business.
    with suppress(OSError, PithError):
        write_run_file(layout, progress)


def _log(progress: RunProgress) -> None:
    if progress.state is not RunState.STOPPED:  # of which the last words tell
        LOGGER.info("%s", one_line(progress))
