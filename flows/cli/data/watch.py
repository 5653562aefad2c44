"""`status --watch`: the run under way as its own terminal shows it, from any other one."""

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

from flows.common.process import signals
from flows.common.process.clock import utc_now
from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import echo, sentence

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
        echo("no run is under way, and none has been yet")
        return ExitStatus.DONE
    if not is_under_way(found, utc_now()):
        echo(f"no run is under way; the last one was {ending(found.progress)}")
        return _status(found.progress)
    signals.note("the run that it watched goes on")
    last = _follow(layout, found)
    echo(f"the run is over: {ending(last)}")
    return _status(last)


def state_line(layout: "Layout", run: str) -> str | None:
    """Return the line of a run that has no report: under way, stopped, or dead; None: unknown."""
    from flows.ingest.progress.run_file import is_under_way, read_run_file
    from flows.ingest.progress.text import one_line

    found = read_run_file(layout, run)
    if found is None:
        return None
    if is_under_way(found, utc_now()):
        return f"run {run}: under way: {one_line(found.progress)}"
    return f"run {ending(found.progress)}"


def ending(progress: "RunProgress") -> str:
    """Return how a run ended, as one sentence; one that says `running` here has died."""
    from flows.ingest.progress.text import one_line
    from flows.ingest.progress.value import RunState

    how = str(progress.state)
    if progress.state is RunState.RUNNING:
        how = f"gone without a word since {progress.updated_at:%Y-%m-%d %H:%M:%S} UTC"
    elif progress.reason:
        how += f" ({progress.reason})"
    went_on = "" if progress.state is RunState.DONE else "; the same command goes on from there"
    return sentence(f"{progress.run}: {how}; {one_line(progress)}{went_on}")


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


def _status(progress: "RunProgress") -> ExitStatus:
    from flows.ingest.progress.value import RunState

    return ExitStatus.DONE if progress.state is RunState.DONE else ExitStatus.PROBLEMS
