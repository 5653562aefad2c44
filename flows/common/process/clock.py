"""The one clock of the shell, and the time of a data folder, which never goes back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from flows.common.errors import StoreError

Clock = Callable[[], datetime]

TOLERANCE = timedelta(minutes=5)
"""So far behind what was last committed a clock may be, as `clock_tolerance_seconds` says."""


def utc_now() -> datetime:
    """Return the time, UTC."""
    return datetime.now(UTC)


class SteadyClock:
    """The time of one data folder: what the clock says, but never before what was committed.

    What is signed later is dated later, so that no snapshot seems older than the one it supersedes.
    """

    def __init__(self, clock: Clock, last: datetime, tolerance: timedelta) -> None:
        """Take the system's clock and the moment of the last commit."""
        self._clock = clock
        self._last = last
        self._tolerance = tolerance

    def behind(self) -> timedelta:
        """Return by how much the clock is behind now; zero if it is not."""
        return max(self._last - self._clock(), timedelta())

    def __call__(self) -> datetime:
        """Return the time; raises `StoreError` where the clock is behind beyond the tolerance."""
        now = self._clock()
        if self._last - now > self._tolerance:
            raise StoreError(
                f"the clock says {now:%Y-%m-%d %H:%M:%S}, but the last commit here is of "
                f"{self._last:%Y-%m-%d %H:%M:%S} UTC: set the clock right; if that commit's time "
                "was the wrong one, raise 'clock_tolerance_seconds' and its time goes on"
            )
        self._last = max(now, self._last)
        return self._last
