"""The live bar of a run on a terminal: its part and share, and below them the numbers."""

import logging
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from flows.common.process.progress import LOGGER
from flows.common.process.signals import heard, restoring, unbroken
from flows.common.terminal import printable
from flows.ingest.progress.text import counters, part_name, percent, pieces, rows
from flows.ingest.progress.value import RunProgress, RunState

A_SECOND = 8
"""So often the bar is drawn: what a signal is answered with is seen at once."""

LEAST_BAR = 12
SHARE_WIDTH = 5

_SHOW_CURSOR = b"\x1b[?25h\r\n"


@contextmanager
def live_bar(read: Callable[[], RunProgress]) -> Iterator[None]:
    """Show on the terminal of standard error what `read` returns, until the block ends.

    Log lines and all that is written to standard error meanwhile stand above the bar. At the end
    the bar stays as it is then, and the cursor is back.
    """
    console = Console(stderr=True)
    live = Live(
        console=console,
        get_renderable=lambda: render(read(), console.width),
        refresh_per_second=A_SECOND,
        redirect_stdout=False,
    )
    with ExitStack() as stack:
        # A signal waits, lest the cursor stay hidden.
        with unbroken():
            stack.enter_context(restoring(_SHOW_CURSOR))
            stack.callback(_stop, live)
            live.start(refresh=True)
            stack.enter_context(_logging_above())
        yield


def _stop(live: Live) -> None:
    with unbroken():
        live.stop()


@contextmanager
def _logging_above() -> Iterator[None]:
    """Have the log's handlers write to the standard error of now, which keeps above the bar."""
    moved = [
        handler
        for handler in LOGGER.handlers
        if isinstance(handler, logging.StreamHandler) and handler.stream is sys.__stderr__
    ]
    for handler in moved:
        handler.setStream(sys.stderr)
    try:
        yield
    finally:
        for handler in moved:
            handler.setStream(sys.__stderr__)


def render(progress: RunProgress, width: int) -> Group:
    """Return the bar with its numbers, no line of which is wider than `width`."""
    name = printable(part_name(progress) or progress.job)
    head = Table.grid(padding=(0, 1), expand=True)
    head.add_column(no_wrap=True, overflow="ellipsis", max_width=max(width // 2, 1))
    head.add_column(ratio=1)
    head.add_column(width=SHARE_WIDTH, justify="right", no_wrap=True)
    share = progress.share
    bar = ProgressBar(total=1.0, completed=share) if share is not None else ProgressBar(total=None)
    head.add_row(Text(name), bar, Text(percent(progress)))
    below = rows(pieces(progress), width, 1) + rows(counters(progress), width, 2)
    if progress.state is RunState.RUNNING and (stopping := heard()):
        below.append(stopping)
    lines = [Text(line, no_wrap=True, overflow="ellipsis") for line in below]
    return Group(head, *lines)
