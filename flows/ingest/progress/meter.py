"""Counts what a run has done, as it comes to count, and tells how fast and how long."""

import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import NamedTuple

from flows.common.counts import Counts
from flows.ingest.progress.value import RunProgress, RunState

RATE_SECONDS = 60.0
"""The rate is that of the last minute: long enough for pages that take some seconds each."""

WAIT_SECONDS = 2.0
"""A wait is told of after that: shorter ones come with every commit."""


@dataclass(frozen=True, slots=True)
class RunName:
    """What does not change of a run's progress: its name, its job, and when it began."""

    run: str
    job: str
    started_at: datetime


class _Moment(NamedTuple):
    """How much of this run's own had come at a time, in seconds of the monotonic clock."""

    at: float
    came: int
    share: float


class ProgressMeter:
    """What a run has done; its steps add to it, and other threads read it.

    Nothing is done for a single paper: a commit adds the counts of hundreds or thousands at once.
    """

    def __init__(self) -> None:
        """Begin with nothing done, and nothing known of what is to come."""
        self._lock = Lock()
        self._counts = Counts()
        self._part, self._number = "", 0
        self._parts: int | None = None
        self._noun = "papers"
        self._before = 0
        self._known: int | None = None
        self._about_left: int | None = None
        self._share: float | None = None
        self._least_seconds = 0.0
        self._state = RunState.RUNNING
        self._reason: str | None = None
        self._waits: tuple[str, float] | None = None
        self._began = time.monotonic()
        self._moments = deque([_Moment(self._began, 0, 0.0)])

    def begin(self, part: str, number: int, parts: int | None) -> None:
        """Note what is worked on from now: the `number`th of so many parts (None: unknown)."""
        with self._lock:
            self._part, self._number, self._parts = part, number, parts

    def count(self, noun: str) -> None:
        """Note what is counted, where that is not papers."""
        self._noun = noun

    def add(self, counts: Counts) -> None:
        """Count what was committed."""
        with self._lock:
            self._counts.add(counts)
            self._note_moment()

    def add_before(self, counts: Counts) -> None:
        """Count as done what an earlier run did; it says nothing of this run's rate."""
        with self._lock:
            self._counts.add(counts)
            self._before += _number(counts)

    def expect(self, left: int | None, *, is_estimate: bool = False) -> None:
        """Note how many are still to come after those that are done, or that nobody knows.

        An estimate stays until the next one: what is committed meanwhile was no part of it, or the
        share would leap ahead at each commit and back when its estimate comes.
        """
        with self._lock:
            self._known = self._about_left = None
            if left and is_estimate:
                self._about_left = left
            elif left is not None:
                self._known = self._done + max(left, 0)

    def expect_no_more(self, papers: int) -> None:
        """Note that so many of those that were expected do not come."""
        with self._lock:
            if self._known is not None:
                self._known = max(self._known - papers, self._done)

    def reach(self, share: float) -> None:
        """Note what part of the bytes was read, 0 to 1; it counts where no number is known."""
        with self._lock:
            self._share = min(max(share, 0.0), 1.0)
            if self._came == 0:
                # What an earlier run did, as far as it shows.
                self._moments[0] = self._moments[0]._replace(share=self._share)
            self._note_moment()

    def keep_pace(self, seconds: float) -> None:
        """Note that a paper takes that many seconds at least, as arXiv's pace has it."""
        self._least_seconds = seconds

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Note that nothing comes to count during the block, and what it waits for."""
        self._waits = what, time.monotonic()
        try:
            yield
        finally:
            self._waits = None

    def end(self, state: RunState, reason: str | None = None) -> None:
        """Note how the run ended; the rate is that of the whole run then."""
        with self._lock:
            self._state, self._reason = state, reason
            self._moments = deque([_Moment(self._began, 0, 0.0)])
            if state is RunState.DONE:
                self._part = ""

    def read(self, name: RunName, now: datetime) -> RunProgress:
        """Return how far the run is; callable from any thread."""
        with self._lock:
            counts, share = self._counts, self._share_done()
            return RunProgress(
                run=name.run, job=name.job, started_at=name.started_at, updated_at=now,
                state=self._state, reason=self._reason,
                part=self._part, part_number=self._number, parts=self._parts,
                noun=self._noun, done=self._done,
                expected=self._expected, is_estimate=self._about_left is not None,
                share=share, rate=self._rate(), seconds_left=self._seconds_left(share),
                waits_for=self._waits_for(),
                new_records=counts.new_records, new_snapshots=counts.new_snapshots,
                unchanged=counts.unchanged, reissued=counts.reissued,
                withdrawn=counts.withdrawn, filtered=counts.filtered, rejects=counts.rejects,
            )  # fmt: skip

    @property
    def _came(self) -> int:
        return self._done - self._before

    @property
    def _done(self) -> int:
        return _number(self._counts)

    @property
    def _expected(self) -> int | None:
        if self._about_left is not None:
            return self._done + self._about_left
        return None if self._known is None else max(self._known, self._done)

    def _share_done(self) -> float | None:
        expected = self._expected
        if expected is None:
            return self._share
        return self._done / expected if expected else 1.0

    def _note_moment(self) -> None:
        """Remember when how much had come, for a minute."""
        now, moments = time.monotonic(), self._moments
        moments.append(_Moment(now, self._came, self._share or 0.0))
        while len(moments) > 1 and moments[1].at <= now - RATE_SECONDS:
            moments.popleft()

    def _waits_for(self) -> str:
        what, since = self._waits or ("", 0.0)
        return what if time.monotonic() - since >= WAIT_SECONDS else ""

    def _rate(self) -> float:
        first = self._moments[0]
        return (self._came - first.came) / max(time.monotonic() - first.at, 1e-3)

    def _seconds_left(self, share: float | None) -> float | None:
        if self._state is not RunState.RUNNING:
            return None
        if (expected := self._expected) is not None:
            left, rate = expected - self._done, self._rate()
            seconds = 1 / rate if rate else self._least_seconds
            return max(seconds, self._least_seconds) * left if seconds or not left else None
        first = self._moments[0]
        if share is None or share <= first.share:
            return None
        return (1 - share) * (time.monotonic() - first.at) / (share - first.share)


def _number(counts: Counts) -> int:
    """Return how many papers these count, or lines of a file, whatever became of them."""
    return counts.papers + counts.rejects + counts.filtered + counts.blank
