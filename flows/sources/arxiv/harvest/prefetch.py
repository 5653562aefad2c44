"""Fetching the pages of a list while those before them are worked on."""

from collections.abc import Callable
from concurrent.futures import Future
from contextvars import copy_context
from queue import SimpleQueue
from threading import Semaphore, Thread
from typing import Generic, TypeVar

_Value = TypeVar("_Value")
_Made = TypeVar("_Made")

AHEAD = 8
"""So many results wait for their turn at the most; a page takes some 20 MB."""


class Prefetch(Generic[_Value, _Made]):
    """Does `work` for one value after the other on another thread, some ahead of the caller.

    A result names the value after it, so that what the caller does delays none. The first value may
    be None; none follows where `following` returns None.
    """

    def __init__(
        self,
        work: Callable[[_Value | None], _Made],
        following: Callable[[_Made], _Value | None],
        ahead: int = AHEAD,
    ) -> None:
        """Begin nothing yet."""
        self._work, self._following, self._ahead = work, following, ahead
        self._series: _Series[_Value, _Made] | None = None
        self._next: _Value | None = None

    def take(self, value: _Value | None) -> _Made:
        """Return what was made of a value, or do it now if it is not the one that was to follow.

        Raises what the work raised, after which nothing is under way.
        """
        if self._series is None or self._next != value:
            self.close()
            self._series = _Series(self._work, self._following, value, self._ahead)
        try:
            made = self._series.take()
        except BaseException:
            self.close()
            raise
        self._next = self._following(made)
        if self._next is None:
            self.close()
        return made

    def close(self) -> None:
        """Begin nothing more; what is under way is not waited for."""
        if self._series:
            self._series.stop()
            self._series = None


class _Series(Generic[_Value, _Made]):
    """A value and those that follow it, on a thread of their own, until one fails or is the last.

    The thread is a daemon, which an executor's is not: at the end of the process nobody waits for
    what is not wanted any more, such as a request that is made again and again for an hour.
    """

    def __init__(
        self,
        work: Callable[[_Value | None], _Made],
        following: Callable[[_Made], _Value | None],
        first: _Value | None,
        ahead: int,
    ) -> None:
        self._work, self._following = work, following
        self._made: SimpleQueue[Future[_Made]] = SimpleQueue()
        self._places = Semaphore(ahead)
        self._is_stopped = False
        # By the caller's context Prefect knows to which step the lines belong that the work logs.
        run = copy_context().run
        Thread(target=run, args=(self._run, first), name="prefetch", daemon=True).start()

    def take(self) -> _Made:
        made = self._made.get().result()
        self._places.release()
        return made

    def stop(self) -> None:
        self._is_stopped = True
        self._places.release()

    def _run(self, value: _Value | None) -> None:
        while True:
            self._places.acquire()
            if self._is_stopped:
                return
            made: Future[_Made] = Future()
            try:
                result = self._work(value)
                following = self._following(result)
                made.set_result(result)
            except BaseException as error:  # noqa: BLE001 - raised where it is taken
                made.set_exception(error)
                following = None
            self._made.put(made)
            if following is None:
                return
            value = following
