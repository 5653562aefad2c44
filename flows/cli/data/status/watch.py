"""`status --watch`: the run under way as its own terminal shows it, from any other one."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flows.common.process import signals
from flows.common.process.clock import utc_now
from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import echo, sentence
from flows.ingest.progress.value import RunState

if TYPE_CHECKING:
    from flows.ingest.progress.run_file import RunFile
    from flows.ingest.progress.value import RunProgress
    from flows.store.layout import Layout

LOOK_SECONDS, OBJECT_SECONDS = 0.5, 15.0


def watch(layout: "Layout") -> ExitStatus:
    """Show the run under way until it ends or Ctrl-C, and return whether it ended well.

    Nothing is written and no lock is taken. Where no run is under way, that is said, and how the
    last one ended.
    """
    from flows.ingest.progress.run_file import is_under_way, newest_run

    found = newest_run(layout)
    if found is None:
        echo("no run is under way")
        return ExitStatus.DONE
    if is_under_way(found, utc_now()):
        signals.note("the run that it watched goes on")
        progress = _follow(layout, found)
        echo(f"run {progress.run}: {outcome(progress)}")
    else:
        progress = found.progress
        echo(f"no run is under way; the last one was {progress.run}")
        echo(f"{outcome(progress)}: {_numbers(progress)}")
    if progress.state is RunState.DONE:
        return ExitStatus.DONE
    echo("the same command goes on from there")
    return ExitStatus.PROBLEMS


def state_of(layout: "Layout", run: str) -> str | None:
    """Return the state of a run that has no report: under way, stopped, or gone; None: unknown."""
    from flows.ingest.progress.run_file import is_under_way, read_run_file

    found = read_run_file(layout, run)
    if found is None:
        return None
    is_on = is_under_way(found, utc_now())
    how = "under way" if is_on else outcome(found.progress)
    return f"{how}: {_numbers(found.progress)}"


def outcome(progress: "RunProgress") -> str:
    """Return how a run ended that is not under way; one that says `running` all the same died."""
    if progress.state is RunState.RUNNING:
        return f"gone without a word since {progress.updated_at:%Y-%m-%d %H:%M:%S} UTC"
    return sentence(f"{progress.state} ({progress.reason})" if progress.reason else progress.state)


def _numbers(progress: "RunProgress") -> str:
    from flows.ingest.progress.text import one_line

    return one_line(progress)


def _follow(layout: "Layout", found: "RunFile") -> "RunProgress":
    """Show a run until it is over, and return what it said last."""
    from flows.ingest.progress.shown import in_front

    last = found.progress

    def read() -> "RunProgress":
        return last

    with in_front(read):
        for progress in _said(layout, found):
            last = progress
    return last


def _said(layout: "Layout", found: "RunFile") -> Iterator["RunProgress"]:
    """Yield what a run says, as it says it, until it is over."""
    from flows.ingest.progress.run_file import is_under_way, read_run_file

    pause = OBJECT_SECONDS if layout.objects else LOOK_SECONDS
    while is_under_way(found, utc_now()):
        time.sleep(pause)
        # The same one, until it can be read again.
        found = read_run_file(layout, found.progress.run) or found
        yield found.progress
