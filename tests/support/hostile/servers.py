"""Servers that would keep a client for ever, or fill it: raw sockets on loopback."""

import gzip
import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from types import TracebackType
from typing import Self

from .inputs import EMPTY_BLOCK, PAGES

MAX_BYTES = 256 * 2**10
"""What the client that is attacked takes as a body."""

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
GZIP = OK + b"Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n"
SLOW_PIECES = 400
"""So many bytes does a slow server send, a tenth of the client's time apart."""

ENDLESS_BYTES = 64 * 2**20
"""Where a server without end gives up, for the test to end where the client does not."""

Pieces = Iterator[bytes]


@dataclass(frozen=True)
class Hostile:
    """What a server sends, and what its client must say; `is_endless` if it must hang up first."""

    send: Callable[[Random], Pieces]
    expected: str
    is_slow: bool = False
    is_endless: bool = False


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def whole(body: bytes, *headers: bytes) -> bytes:
    head = OK + b"".join(header + b"\r\n" for header in headers)
    return head + b"Content-Length: %d\r\n\r\n" % len(body) + body


def without_end(piece: bytes) -> Pieces:
    """Repeat a piece, in sends of some size, up to where the server gives up."""
    many = piece * max(1, 2**14 // len(piece))
    return itertools.repeat(many, ENDLESS_BYTES // len(many))


def slowly(data: bytes) -> Pieces:
    return (bytes([byte]) for byte in itertools.islice(itertools.cycle(data), SLOW_PIECES))


def after(first: bytes, rest: Pieces) -> Pieces:
    return itertools.chain([first], rest)


def noise(rng: Random, most: int) -> bytes:
    return rng.randbytes(rng.randrange(1, most))


def one(data: Callable[[Random], bytes]) -> Callable[[Random], Pieces]:
    return lambda rng: iter([data(rng)])


def page(kind: str) -> Callable[[Random], Pieces]:
    return one(lambda rng: whole(PAGES[kind](rng.randrange(100_000, 200_000))))


def deflate_start() -> bytes:
    return b"\x1f\x8b\x08\0\0\0\0\0\0\x03"


NOT_WHOLE, TOO_MUCH, PROTOCOL = "not whole after 1 s", "has more than", "RemoteProtocolError"
NO_XML = "not whole or not well-formed|root element is|does not answer"
SERVERS: dict[str, Hostile] = {
    "a byte a moment, of the status": Hostile(
        lambda _: slowly(b"HTTP/1.1 200 " + b"O" * SLOW_PIECES), NOT_WHOLE, is_slow=True
    ),
    "a byte a moment, of a header": Hostile(
        lambda _: after(OK + b"X: ", slowly(b"a")), NOT_WHOLE, is_slow=True
    ),
    "a byte a moment, of the body": Hostile(
        lambda _: after(OK + b"Content-Length: 5000\r\n\r\n", slowly(b"<")), NOT_WHOLE, is_slow=True
    ),
    "a byte a moment, until the connection ends": Hostile(
        lambda _: after(OK + b"\r\n", slowly(b" ")), NOT_WHOLE, is_slow=True
    ),
    "a byte a moment, of chunks": Hostile(
        lambda _: after(CHUNKED, slowly(b"1\r\na\r\n")), NOT_WHOLE, is_slow=True
    ),
    "a byte a moment, of gzip": Hostile(
        lambda _: after(GZIP, slowly(chunk(deflate_start()) + chunk(EMPTY_BLOCK) * 50)),
        NOT_WHOLE, is_slow=True,
    ),
    "interim replies, one a moment": Hostile(
        lambda _: itertools.repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n", SLOW_PIECES),
        NOT_WHOLE, is_slow=True,
    ),
    "interim replies without end": Hostile(
        lambda _: without_end(b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"),
        TOO_MUCH, is_endless=True,
    ),
    "continues without end": Hostile(
        lambda _: without_end(b"HTTP/1.1 100 Continue\r\n\r\n"), TOO_MUCH, is_endless=True
    ),
    "a status without end": Hostile(
        lambda _: after(b"HTTP/1.1 200 ", without_end(b"OK ")), PROTOCOL, is_endless=True
    ),
    "a header without end": Hostile(
        lambda _: after(OK + b"X: ", without_end(b"a b")), PROTOCOL, is_endless=True
    ),
    "a folded header without end": Hostile(
        lambda _: after(OK + b"X: a\r\n", without_end(b" \t\r\n")), PROTOCOL, is_endless=True
    ),
    "headers without end": Hostile(
        lambda _: after(OK, without_end(b"X: y\r\n")), PROTOCOL, is_endless=True
    ),
    "a body without end": Hostile(
        lambda rng: after(OK + b"\r\n", without_end(noise(rng, 5000))), TOO_MUCH, is_endless=True
    ),
    "chunks without end": Hostile(
        lambda rng: after(CHUNKED, without_end(chunk(noise(rng, 5000)))), TOO_MUCH, is_endless=True
    ),
    "chunks of a byte without end": Hostile(
        lambda _: after(CHUNKED, without_end(chunk(b" "))), TOO_MUCH, is_endless=True
    ),
    "a chunk's size without end": Hostile(
        lambda _: after(CHUNKED, without_end(b"0")), PROTOCOL, is_endless=True
    ),
    "a chunk's extension without end": Hostile(
        lambda _: after(CHUNKED + b"1;a=", without_end(b"b")), PROTOCOL, is_endless=True
    ),
    "trailers without end": Hostile(
        lambda _: after(CHUNKED + b"0\r\n", without_end(b"X: y\r\n")), PROTOCOL, is_endless=True
    ),
    "empty deflate blocks without end": Hostile(
        lambda _: after(GZIP + chunk(deflate_start()), without_end(chunk(EMPTY_BLOCK * 1000))),
        TOO_MUCH, is_endless=True,
    ),
    "gzip members without end": Hostile(
        lambda _: after(GZIP, without_end(chunk(gzip.compress(b"")))), "bytes after its end",
        is_endless=True,
    ),
    "bytes after the gzip's end": Hostile(
        lambda rng: after(
            GZIP + chunk(gzip.compress(b"<x/>")), without_end(chunk(noise(rng, 5000)))
        ),
        "bytes after its end", is_endless=True,
    ),
    "a gzip bomb": Hostile(
        one(lambda rng: whole(gzip.compress(bytes(rng.randrange(10, 40) * 2**20)),
                              b"Content-Encoding: gzip")), TOO_MUCH,
    ),
    "a zlib stream called gzip": Hostile(
        one(lambda rng: whole(b"\x78\x9c" + noise(rng, 900), b"Content-Encoding: gzip")),
        "broken gzip",
    ),
    "two lengths": Hostile(
        one(lambda _: OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd"), PROTOCOL
    ),
    "a negative length": Hostile(one(lambda _: OK + b"Content-Length: -1\r\n\r\nab"), PROTOCOL),
    "a length of 20 digits": Hostile(
        one(lambda _: OK + b"Content-Length: " + b"9" * 20 + b"\r\n\r\n<a"), PROTOCOL
    ),
    "less than it promised": Hostile(
        one(lambda rng: OK + b"Content-Length: 9999\r\n\r\n" + noise(rng, 900)), PROTOCOL
    ),
    "another protocol": Hostile(one(lambda _: b"SSH-2.0-OpenSSH_9.6\r\n"), PROTOCOL),
    "noise": Hostile(one(lambda rng: noise(rng, 50_000)), PROTOCOL),
    "control characters in a header": Hostile(
        one(lambda _: OK + b"X: \x1b[2J\x00\r\n\r\n"), PROTOCOL
    ),
    "another protocol from here on": Hostile(
        one(lambda _: b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"), PROTOCOL
    ),
    "a place of 90 kB": Hostile(
        one(lambda _: b"HTTP/1.1 302 F\r\nLocation: /" + b"a" * 90_000 + b"\r\n\r\n"),
        PROTOCOL,
    ),
    "a place elsewhere": Hostile(
        one(lambda _: b"HTTP/1.1 302 F\r\nLocation: //example.org/" + b"a" * 900 + b"\r\n\r\n"),
        "redirects to another place",
    ),
    "places without end": Hostile(
        one(lambda _: b"HTTP/1.1 302 F\r\nLocation: /\r\nConnection: close\r\n\r\n"),
        "redirected more than 3 times",
    ),
    "a wish to wait of 90 kB": Hostile(
        one(lambda _: b"HTTP/1.1 503 U\r\nRetry-After: " + b"9" * 90_000 + b"\r\n\r\n"), "HTTP 503"
    ),
    "a day of 90 kB": Hostile(
        one(lambda _: b"HTTP/1.1 503 U\r\nRetry-After: Mon, " + b"1 " * 45_000 + b"\r\n\r\n"),
        "HTTP 503",
    ),
    "an encoding of 90 kB": Hostile(
        one(lambda _: whole(b"x", b"Content-Encoding: " + b"gzip, " * 15_000 + b"br")),
        "was not asked for",
    ),
    "records without end": Hostile(page("records without end"), NO_XML),
    "namespaces and rejects": Hostile(page("namespaces of the root, and rejects"), NO_XML),
    "tags without end": Hostile(page("beginnings of tags"), NO_XML),
}  # fmt: skip


class HostileServer:
    """Answers every connection on a port of 127.0.0.1 as one of `SERVERS` does."""

    def __init__(self, hostile: Hostile, seed: int, pause: float) -> None:
        """Send what the seed says; a slow one pauses for so many seconds after each piece."""
        self._hostile = hostile
        self._seed = seed
        self._pause = pause if hostile.is_slow else 0.0
        self._stopping = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        self.gave_up = threading.Event()
        """Set if it sent all that it has, and the client was still there."""

    def __enter__(self) -> Self:
        """Serve in a thread."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop."""
        self._stopping.set()
        # A closed socket alone would not wake the thread that waits for it.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                try:
                    self._answer(connection)
                except OSError:
                    continue  # the client has hung up

    def _answer(self, connection: socket.socket) -> None:
        asked = b""
        while b"\r\n\r\n" not in asked:
            piece = connection.recv(2**16)
            if not piece:
                return
            asked += piece
        for piece in self._hostile.send(Random(self._seed)):
            connection.sendall(piece)
            if self._stopping.wait(self._pause):
                return
        self.gave_up.set()
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(5)
        while connection.recv(2**16):
            pass
