"""Requests as the server logs them, and the faults ordered for those to come."""

from collections.abc import Callable
from dataclasses import dataclass

from arxiv_server.faults import Fault


@dataclass(frozen=True)
class Seen:
    """A logged request; header names are in lower case, `at` is the monotonic clock."""

    method: str
    path: str
    pairs: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    at: float
    url: str

    @property
    def query(self) -> dict[str, str]:
        """Return the arguments, the last of repeated ones."""
        return dict(self.pairs)


Condition = Callable[[Seen], bool] | str | None
"""Which requests are meant: those a predicate accepts, those of one OAI verb, or all."""


@dataclass
class _Order:
    faults: tuple[Fault, ...]
    on: Condition
    skip: int
    times: int

    def meets(self, seen: Seen) -> bool:
        if self.on is None:
            return True
        return seen.query.get("verb") == self.on if isinstance(self.on, str) else self.on(seen)


class Plan:
    """The orders not yet carried out, in the order given."""

    def __init__(self) -> None:
        """Start without any."""
        self._orders: list[_Order] = []

    def add(self, faults: tuple[Fault, ...], on: Condition, skip: int, times: int) -> None:
        """Add an order for the `skip`-th next request which `on` means, and the ones after."""
        self._orders.append(_Order(faults, on, skip, times))

    def due(self, seen: Seen) -> tuple[Fault, ...]:
        """Return the faults for this request: those of the first order that is due."""
        due: _Order | None = None
        for order in [order for order in self._orders if order.meets(seen)]:
            if order.skip > 0:
                order.skip -= 1
            elif due is None:
                due = order
        if due is None:
            return ()
        due.times -= 1
        if due.times == 0:
            self._orders.remove(due)
        return due.faults

    def __len__(self) -> int:
        """Return the number of orders not yet carried out in full."""
        return len(self._orders)
