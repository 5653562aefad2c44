"""Work that the service does again and again beside its requests."""

import sqlite3
from collections.abc import Callable
from threading import Event

from flows.common.errors import StoreError

Say = Callable[[str], None]


def repeat(work: Callable[[], None], stop: Event, say: Say, *, seconds: float, waits: str) -> None:
    """Do `work` every so many seconds until `stop` is set.

    What cannot be read or written is said once after `waits`, until something else is the matter.
    """
    said = ""
    while not stop.is_set():
        try:
            work()
            said = ""
        except (StoreError, OSError, sqlite3.Error) as error:
            if str(error) != said:
                said = str(error)
                say(f"{waits}: {error}")
        stop.wait(seconds)
