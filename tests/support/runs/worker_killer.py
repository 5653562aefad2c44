"""Killing the workers of a Dask cluster at random moments of a run."""

import os
import signal
import threading
from datetime import datetime
from random import Random

from distributed import LocalCluster


class WorkerKiller:
    """Kills so many workers while a run uses `clock`, which it asks as each unit begins."""

    def __init__(self, cluster: LocalCluster, now: datetime, *, kills: int, seed: int) -> None:
        self._cluster, self._now, self._kills = cluster, now, kills
        self._choose, self._begun = Random(seed), threading.Semaphore(0)
        self.killed: list[int] = []

    def clock(self) -> datetime:
        """Note that a unit begins, and return the one time of the run."""
        self._begun.release()
        return self._now

    def start(self) -> None:
        """Begin to kill; nothing happens before the next unit begins."""
        while self._begun.acquire(blocking=False):
            pass
        threading.Thread(target=self._kill, daemon=True).start()

    def assert_done(self) -> None:
        assert len(self.killed) == self._kills, "done before the last kill: nothing is shown"

    def _kill(self) -> None:
        while len(self.killed) < self._kills:
            for _ in range(self._choose.randint(1, 3)):
                self._begun.acquire()
            # A moment within a unit, which no event marks.
            threading.Event().wait(self._choose.uniform(0, 0.05))
            while not self._kill_one():
                threading.Event().wait(0.01)  # a nanny is starting its next worker

    def _kill_one(self) -> bool:
        """Kill a worker that was not killed before; return whether there was one."""
        pids = {nanny.pid for nanny in self._cluster.workers.values()} - {None, *self.killed}
        if not pids:
            return False
        pid = self._choose.choice(sorted(pids))
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:  # ended since its nanny was asked
            return False
        self.killed.append(pid)
        return True
