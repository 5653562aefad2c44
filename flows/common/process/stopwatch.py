"""The seconds that each stage of a run took."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

STRIDE = 100_000
"""Papers over which the cost of one is averaged, to see whether it grows during a long run."""


class Stopwatch:
    """Adds up the seconds that were spent in each stage, by the stage's name.

    `microseconds` are those of one paper, of stages that say how many they took: the average of
    each `STRIDE` papers in turn.
    """

    def __init__(self) -> None:
        """Start with no stage."""
        self.seconds: dict[str, float] = {}
        self.microseconds: dict[str, list[float]] = {}
        self._strides: dict[str, tuple[int, float]] = {}

    @contextmanager
    def stage(self, name: str, papers: int = 0) -> Iterator[None]:
        """Add the time that the block takes, for so many papers, to the stage `name`."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - started
            self.add({name: spent})
            if papers:
                self._take_stride(name, papers, spent)

    def _take_stride(self, name: str, papers: int, seconds: float) -> None:
        before, spent = self._strides.get(name, (0, 0.0))
        papers, seconds = before + papers, spent + seconds
        if papers >= STRIDE:
            self.microseconds.setdefault(name, []).append(seconds / papers * 1e6)
            papers, seconds = 0, 0.0
        self._strides[name] = papers, seconds

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add what another watch measured."""
        for name, spent in seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
