"""HTTP/1.1 by uvicorn and h11, with the limits that neither has: for slow and greedy clients."""

from asyncio import AbstractEventLoop, Transport
from asyncio.events import TimerHandle
from http import HTTPStatus
from typing import ClassVar

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from flows.registry.server.http.guard import MAX_HEADER_BYTES
from flows.registry.server.http.problems import MEDIA_TYPE, problem_json

KEEP_ALIVE_SECONDS = 15
"""Of silence between two requests of a connection (uvicorn's limit)."""


class JoinedWrites(Transport):
    """A transport that sends at once what is written in one turn of the event loop.

    Uvicorn writes a reply's headers and its body apart: two packets, and for a client two reads.
    """

    def __init__(self, transport: Transport, loop: AbstractEventLoop) -> None:
        """Write to `transport`."""
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._written: list[bytes] = []

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send bytes soon."""
        if data:
            if not self._written:
                self._loop.call_soon(self._flush)
            self._written.append(bytes(data))

    def close(self) -> None:
        """Send what was written, and close."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        self._transport.abort()

    def is_closing(self) -> bool:
        """Return whether the connection is closed, or about to be."""
        return self._transport.is_closing()

    def pause_reading(self) -> None:
        """Read no more for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Read again."""
        self._transport.resume_reading()

    def get_extra_info(self, name: str, default: object = None) -> object:
        """Return what asyncio knows of the connection."""
        return self._transport.get_extra_info(name, default)

    def _flush(self) -> None:
        written, self._written = self._written, []
        if written:
            self._transport.write(b"".join(written))


class LimitedProtocol(H11Protocol):
    """A connection that neither waits for ever for a request nor for somebody to read a reply.

    Uvicorn limits the silence between two requests only: a client that sends a byte now and then,
    or reads none of a reply, would keep its connection.
    """

    request_seconds: ClassVar[float] = 10.0
    """From a connection's beginning, or from a request's first byte, to the end of its headers."""

    reading_seconds: ClassVar[float] = 30.0
    """For a client to read what is sent, after the connection's buffer is full or it is closed."""

    max_connections: ClassVar[int] = 2_000
    """Of one worker: each takes some 30 kB."""

    _asking: TimerHandle | None = None
    _reading: TimerHandle | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin to wait for a request, unless there are too many connections."""
        super().connection_made(JoinedWrites(transport, self.loop))
        if len(self.connections) > self.max_connections:
            detail = "There are too many connections at the moment."
            self._refuse(HTTPStatus.SERVICE_UNAVAILABLE, detail)
        else:
            self._expect_request()

    def data_received(self, data: bytes) -> None:
        """Take what a client sent; a request that has begun has to end soon."""
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self._asking = _cancelled(self._asking)
        elif self._asking is None:
            self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._asking = _cancelled(self._asking)
        self._reading = _cancelled(self._reading)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """Wait until the client has read something, but not for ever."""
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        """Go on: the client reads."""
        self._reading = _cancelled(self._reading)
        super().resume_writing()

    def on_response_complete(self) -> None:
        """End a connection that is closed, though what was sent is not read."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._expect_reading()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection on which nothing was asked any more."""
        super().timeout_keep_alive_handler()
        self._expect_reading()

    def send_400_response(self, msg: str) -> None:
        """Say what is wrong with bytes that are no request, or too many for one."""
        if len(self.conn.trailing_data[0]) > MAX_HEADER_BYTES:
            detail = f"A request's headers have at most {MAX_HEADER_BYTES} bytes."
            self._refuse(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
        else:
            self._refuse(HTTPStatus.BAD_REQUEST, msg)

    def _refuse(self, status: HTTPStatus, detail: str) -> None:
        """Answer for the application, and close; a reply that is under way is the last one."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.keep_alive = False
            return
        if self.conn.our_state is h11.IDLE or self.conn.our_state is h11.SEND_RESPONSE:
            self._send_problem(status, detail)
        self.transport.close()
        self._expect_reading()

    def _send_problem(self, status: HTTPStatus, detail: str) -> None:
        body = problem_json(status, detail)
        headers = [
            ("content-type", MEDIA_TYPE),
            ("content-length", str(len(body))),
            ("cache-control", "no-store"),
            ("connection", "close"),
        ]
        reply = h11.Response(status_code=status, headers=headers, reason=status.phrase.encode())
        for event in (reply, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")

    def _expect_request(self) -> None:
        self._asking = self.loop.call_later(self.request_seconds, self._give_up)

    def _give_up(self) -> None:
        self._asking = None
        if not self.transport.is_closing():
            detail = "The request took too long to arrive."
            self._refuse(HTTPStatus.REQUEST_TIMEOUT, detail)

    def _expect_reading(self) -> None:
        _cancelled(self._reading)
        self._reading = self.loop.call_later(self.reading_seconds, self.transport.abort)


def _cancelled(timer: TimerHandle | None) -> TimerHandle | None:
    """Cancel a timer, and return what stands for none."""
    if timer:
        timer.cancel()
    return None
