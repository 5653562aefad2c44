"""Doing the next thing while this one is worked on."""

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from threading import Thread
from typing import Generic, TypeVar

_Value = TypeVar("_Value")
_Made = TypeVar("_Made")


class Prefetch(Generic[_Value, _Made]):
    """Does `work` for one value at a time on another thread, at most one ahead of the caller.

    The thread is a daemon, which an executor's is not: at the end of the process nobody waits for
    what is not wanted any more, such as a request that is made again and again for an hour.
    """

    def __init__(self, work: Callable[[_Value], _Made]) -> None:
        """Begin nothing yet."""
        self._work = work
        self._begun: Future[_Made] | None = None

    def begin(self, value: _Value) -> None:
        """Begin what the next `take` returns; each is to be taken before the next is begun."""
        self._begun = self._start(value)

    def take(self, value: _Value) -> _Made:
        """Return what was begun, or do it now if nothing was; raises what the work raised."""
        made, self._begun = self._begun or self._start(value), None
        return made.result()

    def _start(self, value: _Value) -> Future[_Made]:
        made: Future[_Made] = Future()

        def make() -> None:
            try:
                made.set_result(self._work(value))
            except BaseException as error:  # noqa: BLE001 - raised where it is taken
                made.set_exception(error)

        # By the caller's context Prefect knows to which step the lines belong that the work logs.
        Thread(target=copy_context().run, args=(make,), name="prefetch", daemon=True).start()
        return made
