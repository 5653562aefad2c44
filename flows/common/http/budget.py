"""The budget of one exchange with a server: seconds, and bytes over the wire.

A time-out of a socket begins anew with every byte, so that one byte a second, or interim replies
without end, would never reach it.
"""

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from ssl import SSLContext

import httpcore
import httpx

from flows.common.http.response import TooLargeError, TransientError

HEAD_BYTES = 2**20
"""For all but the body: status, headers, interim replies, and the framing of chunks."""


@dataclass(slots=True)
class Budget:
    """The seconds and bytes that are left of one exchange; `begin` starts each."""

    total_seconds: float
    max_bytes: int
    _ends: float = field(init=False, default=0.0)
    _bytes_left: int = field(init=False, default=0)

    def begin(self) -> None:
        """Begin an exchange; until `allow_body` only its head may come."""
        self._ends = time.monotonic() + self.total_seconds
        self._bytes_left = HEAD_BYTES

    def allow_body(self) -> None:
        """Let a body follow, of the most bytes that it may have."""
        self._bytes_left += self.max_bytes

    @contextmanager
    def step(self, seconds: float | None) -> Iterator[float]:
        """Yield how long a step may wait: `seconds`, or what is left if that is less.

        Raises `TransientError` when nothing is left, before the step or because of it.
        """
        left = self._seconds_left()
        try:
            yield left if seconds is None else min(left, seconds)
        except httpcore.TimeoutException:
            self._seconds_left()
            raise

    def _seconds_left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TransientError(f"not whole after {self.total_seconds:g} s")
        return left

    def take(self, data: bytes) -> bytes:
        """Return the bytes that came, or raise `TooLargeError` if they were too many."""
        self._bytes_left -= len(data)
        if self._bytes_left < 0:
            raise TooLargeError(self.max_bytes)
        return data


class BoundedStream(httpcore.NetworkStream):
    """A connection that keeps to a budget."""

    def __init__(self, stream: httpcore.NetworkStream, budget: Budget) -> None:
        """Wrap an open connection."""
        self._stream = stream
        self._budget = budget

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read what is there."""
        with self._budget.step(timeout) as seconds:
            return self._budget.take(self._stream.read(max_bytes, seconds))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Write all."""
        with self._budget.step(timeout) as seconds:
            self._stream.write(buffer, seconds)

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        """Return the encrypted connection, which keeps to the same budget."""
        with self._budget.step(timeout) as seconds:
            stream = self._stream.start_tls(ssl_context, server_hostname, seconds)
        return BoundedStream(stream, self._budget)

    def get_extra_info(self, info: str) -> object:
        """Return a property of the connection by its name."""
        return self._stream.get_extra_info(info)


class BoundedBackend(httpcore.NetworkBackend):
    """Opens connections that keep to a budget."""

    def __init__(self, backend: httpcore.NetworkBackend, budget: Budget) -> None:
        """Wrap the backend that opens them."""
        self._backend = backend
        self._budget = budget

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect."""
        with self._budget.step(timeout) as seconds:
            stream = self._backend.connect_tcp(host, port, seconds, local_address, socket_options)
        return BoundedStream(stream, self._budget)


def keep_to(budget: Budget, client: httpx.Client) -> None:
    """Make all connections of a client keep to a budget, those through proxies too.

    httpx has no setting for that, and with a transport of one's own it leaves the environment's
    proxies aside.
    """
    for transport in (client._transport, *client._mounts.values()):
        if isinstance(transport, httpx.HTTPTransport):
            pool = transport._pool
            pool._network_backend = BoundedBackend(pool._network_backend, budget)
