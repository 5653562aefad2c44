"""Progress of long work: a bar on a terminal, plain log lines elsewhere."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

LOGGER = logging.getLogger("pith_ingest")
SECONDS_BETWEEN_LINES = 10.0

OnProgress = Callable[[int, int], None]
"""Told how much of a job is done, and of how much: replies, windows, papers or bytes."""

_T = TypeVar("_T")


def to_nobody(done: int, total: int) -> None:
    """Tell nobody how far a job is."""


def track(items: Iterable[_T], *, total: int | None, what: str) -> Iterator[_T]:
    """Give `items` one by one and show how many of `total` (None: unknown) are done."""
    if sys.stderr.isatty():
        yield from _bar(items, total, what)
    else:
        yield from _lines(items, total, what)


def _bar(items: Iterable[_T], total: int | None, what: str) -> Iterator[_T]:
    from rich.console import Console  # noqa: PLC0415 - 20 ms that only a terminal needs

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeRemainingColumn(), console=Console(stderr=True)) as progress:
        yield from progress.track(items, total=total, description=what)


def _lines(items: Iterable[_T], total: int | None, what: str) -> Iterator[_T]:
    last = time.monotonic()
    for done, item in enumerate(items, 1):
        yield item
        if done == total or time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            LOGGER.info("%d of %s %s", done, total or "?", what)
