"""Ending a pool of processes, whatever became of them."""

import threading
from concurrent.futures import ProcessPoolExecutor
from typing import cast

ENDED_ALONE = (
    "without an error of its own; the system may be short of memory: set 'workers' to fewer, and "
    "run again"
)
"""How a message ends that says that a worker process has ended."""

_LOOK_SECONDS = 0.1


def end_pool(pool: ProcessPoolExecutor, *, cancel: bool) -> None:
    """End a pool, and its processes whatever they wait for, once one of them was killed.

    That one may have had a lock for which the others wait for ever. While it ends, the pool looks
    no more whether one has died; and before Python 3.12.1 it forgets one that is born while the
    others end.
    """
    processes = pool._processes  # noqa: SLF001 - from 3.14 on it has a method for that
    manager = cast("threading.Thread | None", pool._executor_manager_thread)  # noqa: SLF001
    pool.shutdown(wait=False, cancel_futures=cancel)
    while manager and manager.is_alive():
        left = list(processes.values())
        if pool._broken or any(process.exitcode for process in left):  # noqa: SLF001
            for process in left:
                process.kill()
        manager.join(_LOOK_SECONDS)
