"""Progress of long work: a bar on a terminal, plain log lines elsewhere, both with rate and end."""

import logging
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from typing import TypeVar

from flows.common.terminal import sentence

LOGGER = logging.getLogger("pith_ingest")
SECONDS_BETWEEN_LINES = 10.0
_TWO_DIGITS = 10

OnProgress = Callable[[int, int], None]
"""Called with how much of a job is done, and of how much: replies, windows, papers or bytes."""

_T = TypeVar("_T")


def _make_sentence(record: logging.LogRecord) -> bool:
    """Make a log record's message safe for every handler: the terminal's, a file's, Prefect's."""
    record.msg, record.args = sentence(record.getMessage()), None
    return True


LOGGER.addFilter(_make_sentence)


def to_nobody(done: int, total: int) -> None:
    """Report progress to nobody."""


class Meter:
    """Counts what is done since it was made, and says how fast and until when."""

    def __init__(self) -> None:
        """Start the clock."""
        self.done = 0
        self._started = time.monotonic()

    def add(self, number: int) -> None:
        """Count `number` more as done."""
        self.done += number

    def rate(self) -> str:
        """Return the rate until now, such as `1200/min`."""
        per_minute = self._per_second() * 60
        return f"{per_minute:,.{0 if per_minute >= _TWO_DIGITS else 1}f}/min"

    def expect(self, total: int | None) -> str:
        """Return rate and expected end, such as `12/min, done about 14:05`; local time."""
        if not total or not self.done or self.done >= total:
            return self.rate()
        left = timedelta(seconds=(total - self.done) / self._per_second())
        end = datetime.now().astimezone() + left
        day = "%H:%M" if left < timedelta(hours=12) else "%Y-%m-%d %H:%M"
        return f"{self.rate()}, done about {end:{day}}"

    def _per_second(self) -> float:
        return self.done / max(time.monotonic() - self._started, 1e-3)


def track(items: Iterable[_T], *, total: int | None, what: str) -> Iterator[_T]:
    """Yield `items` one by one and show how many of `total` (None: unknown) are done."""
    if sys.stderr.isatty() and LOGGER.isEnabledFor(logging.INFO):
        yield from _bar(items, total, what)
    else:
        yield from _lines(items, total, what)


def _bar(items: Iterable[_T], total: int | None, what: str) -> Iterator[_T]:
    # 40 ms that only a terminal needs.
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    meter = Meter()
    expected = TextColumn("{task.fields[expected]}")
    with Progress(*columns, expected, console=Console(stderr=True)) as progress:
        task = progress.add_task(what, total=total, expected="")
        for item in items:
            yield item
            meter.add(1)
            progress.update(task, advance=1, expected=meter.expect(total))


def _lines(items: Iterable[_T], total: int | None, what: str) -> Iterator[_T]:
    last = time.monotonic()
    meter = Meter()
    for item in items:
        yield item
        meter.add(1)
        if meter.done == total or time.monotonic() - last >= SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            of = f"{meter.done:,} of {total:,}" if total else f"{meter.done:,} of ?"
            LOGGER.info("%s %s, %s", of, what, meter.expect(total))
