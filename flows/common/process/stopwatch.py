"""The seconds that each stage of a run took."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

STRIDE = 100_000
"""Papers over which the cost of one is averaged, to see whether it grows during a long run."""


class Stopwatch:
    """Adds up the seconds that were spent in each stage, by the stage's name."""

    def __init__(self) -> None:
        """Start with no stage."""
        self.seconds: dict[str, float] = {}
        self._strides: dict[str, list[tuple[int, float]]] = {}

    @property
    def microseconds(self) -> dict[str, list[float]]:
        """What a paper took in the stages that say how many they took: of each 100,000 in turn.

        Fewer than half as many at the end are left out, unless there are no others.
        """
        return {
            name: [
                spent / papers * 1e6
                for number, (papers, spent) in enumerate(strides)
                if papers >= STRIDE / 2 or not number
            ]
            for name, strides in self._strides.items()
        }

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
                self._add_to_stride(name, papers, spent)

    def _add_to_stride(self, name: str, papers: int, seconds: float) -> None:
        """Add to the stride in which these papers begin."""
        strides = self._strides.setdefault(name, [])
        if sum(before for before, _ in strides) >= len(strides) * STRIDE:
            strides.append((0, 0.0))
        before, spent = strides[-1]
        strides[-1] = before + papers, spent + seconds

    def add(self, seconds: Mapping[str, float]) -> None:
        """Add what another watch measured."""
        for name, spent in seconds.items():
            self.seconds[name] = self.seconds.get(name, 0.0) + spent
