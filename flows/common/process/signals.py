"""Ctrl-C and SIGTERM: a command ends in order, never within a commit, and says what it kept.

It imports next to nothing, so that the start of a command can be stopped too.
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import NoReturn

from flows.common.process.exit_status import ExitStatus

SIGNALS = {signal.SIGINT: "Ctrl-C", signal.SIGTERM: "SIGTERM"}

AGAIN_SECONDS = 0.05


class StopError(KeyboardInterrupt):
    """Raised in the main thread when a signal asks the process to end.

    Of the kind that Python raises for Ctrl-C itself, which what handles errors lets pass.
    """


def _raise() -> NoReturn:
    raise StopError


def _exit() -> NoReturn:
    os._exit(0)


class _Stop:
    """A request to end this process: whether there is one, how it ends, what is said of it."""

    number = 0
    """The signal; 0 while there was none."""

    is_due = False
    """Whether the end waits for an `unbroken` block."""

    is_said = False
    """Whether a second signal has had the sentence written."""

    unbroken = 0
    restore = b""
    """What gives the terminal back, written where the process ends at once."""

    end: Callable[[], None] = staticmethod(_raise)
    kept = "what was kept stays, and the same command begins again"


def heed() -> None:
    """Have Ctrl-C and SIGTERM raise `StopError`; a second signal ends the process at once.

    Not those that the process was started to ignore, as in the background of a script.
    """
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _take)
    sys.unraisablehook = _raise_again


def follow() -> None:
    """Have a worker process end by SIGTERM alone, at once but for an `unbroken` block.

    Ctrl-C on a terminal reaches it too, but its end is for the flow's process to decide.
    """
    _Stop.end = staticmethod(_exit)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _end)


def leave() -> None:
    """Leave signals to Python again, for code that has ways of its own."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def ignore() -> None:
    """Ignore signals from now on: all is done but to say so."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def note(kept: str) -> None:
    """Note what is to be said of what was done, should a signal stop it."""
    _Stop.kept = kept


def farewell() -> tuple[ExitStatus, str] | None:
    """Return exit status and sentence of a process that was asked to end, or None."""
    if not _Stop.number:
        return None
    name = SIGNALS[signal.Signals(_Stop.number)]
    return ExitStatus(128 + _Stop.number), f"pith-ingest: stopped by {name}; {_Stop.kept}"


def heard() -> str | None:
    """Return what was asked and what its end waits for, once it was asked to end; else None."""
    if not _Stop.number:
        return None
    name = SIGNALS[signal.Signals(_Stop.number)]
    waits = "stopping after the commit under way" if _Stop.is_due else "stopping"
    return f"{name}: {waits}; {name} again ends it at once"


def asked_by() -> str | None:
    """Return what asked the process to end, such as `Ctrl-C`; None where nothing did."""
    return SIGNALS[signal.Signals(_Stop.number)] if _Stop.number else None


@contextmanager
def restoring(terminal: bytes) -> Iterator[None]:
    """Have these bytes written to standard error where a second signal ends the block."""
    _Stop.restore = terminal
    try:
        yield
    finally:
        _Stop.restore = b""


@contextmanager
def unbroken() -> Iterator[None]:
    """Let a signal wait until the block is done, such as a commit."""
    _Stop.unbroken += 1
    try:
        yield
    finally:
        _Stop.unbroken -= 1
        if _Stop.is_due and not _Stop.unbroken:
            _Stop.is_due = False
            _Stop.end()


@contextmanager
def handing_on() -> Iterator[None]:
    """Have SIGTERM wait for an `unbroken` block, then do what it did before.

    For a process that another program ends by a handler of its own, as Prefect does when it cancels
    a run. Elsewhere than in the main thread signals stay as they are.
    """
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is not threading.main_thread() or not callable(before):
        yield
        return

    def hand_on(number: int, frame: FrameType | None) -> None:
        if _Stop.unbroken:
            _Stop.is_due, _Stop.end = True, partial(before, number, frame)
        else:
            before(number, frame)

    end = _Stop.end
    signal.signal(signal.SIGTERM, hand_on)
    try:
        yield
    finally:
        _Stop.end = staticmethod(end)
        if signal.getsignal(signal.SIGTERM) is hand_on:
            signal.signal(signal.SIGTERM, before)


def _take(number: int, frame: FrameType | None) -> None:
    """Stop the process, or end it at once where it was asked before."""
    if said := farewell():
        status, sentence = said
        # One more would end the process before its last words; what came until now is taken here.
        signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        if not _Stop.is_said:
            _Stop.is_said = True
            os.write(2, _Stop.restore + f"{sentence}\n".encode())
        os._exit(status)
    _Stop.number = number
    _end(number, frame)


def _end(*_: object) -> None:
    if _Stop.unbroken:
        _Stop.is_due = True
    else:
        _Stop.end()


def _raise_again(unraisable: "sys.UnraisableHookArgs") -> None:
    """Stop a little later, where Python drops what was raised, for it came in a destructor."""
    if not isinstance(unraisable.exc_value, StopError):
        sys.__unraisablehook__(unraisable)
        return
    signal.signal(signal.SIGALRM, _end)
    signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS)
