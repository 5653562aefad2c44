"""A client that is slow, or greedy, has its connection taken; others are served meanwhile."""

import select
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from support.papers.oai_pages import page, record
from support.registry.serving import read_all
from support.runs.runs import process

from flows.registry.reader import RegistryReader
from flows.registry.server.app import Registry, make_app
from flows.registry.server.http.guard import MAX_HEADER_BYTES
from flows.registry.server.http.protocol import LimitedProtocol
from flows.store.layout import Layout

SCHEMA = b"GET /schemas/1.0/event.schema.json HTTP/1.1\r\nHost: x\r\n\r\n"
GOOD = b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Hasty(LimitedProtocol):
    """What waits for seconds waits for a moment here."""

    request_seconds = 0.3
    reading_seconds = 0.3
    max_connections = 20


class Service:
    """The service on a thread of this process."""

    def __init__(self, folder: Path) -> None:
        self._reader = RegistryReader(Layout(folder / "data"))
        self._listener = socket.create_server(("127.0.0.1", 0))
        app = make_app(Registry(self._reader, "https://r.example", "R"))
        self._server = uvicorn.Server(
            uvicorn.Config(
                app, http=Hasty, ws="none", lifespan="off", interface="asgi3", log_config=None,
                access_log=False, timeout_keep_alive=1,
                h11_max_incomplete_event_size=MAX_HEADER_BYTES,
            )
        )  # fmt: skip
        self._thread = Thread(target=self._server.run, args=([self._listener],))
        self._thread.start()

    def connect(self) -> socket.socket:
        return socket.create_connection(self._listener.getsockname(), timeout=30)

    @property
    def connections(self) -> int:
        return len(self._server.server_state.connections)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._reader.close()


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    process(tmp_path, page(record()))
    started = Service(tmp_path)
    yield started
    started.stop()


def is_well(service: Service) -> bool:
    with service.connect() as connection:
        connection.sendall(GOOD)
        return read_all(connection).startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize("begun", [b"", b"G", GOOD[:-2]], ids=len)
def test_a_request_that_does_not_end_gets_a_408(begun: bytes, service: Service) -> None:
    with service.connect() as slow:
        slow.sendall(begun)
        assert is_well(service)
        reply = read_all(slow)
    assert b"HTTP/1.1 408 " in reply
    assert b"application/problem+json" in reply


def test_a_second_request_that_does_not_end_keeps_no_connection(service: Service) -> None:
    with service.connect() as slow:
        slow.sendall(SCHEMA + b"GET /")
        assert read_all(slow).count(b"HTTP/1.1 ") == 1


def test_a_byte_now_and_then_does_not_keep_a_connection(service: Service) -> None:
    with service.connect() as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nX: ")
        sent = 0
        while not select.select([slow], [], [], 0.05)[0]:
            slow.sendall(b"y")
            sent += 1
        assert slow.recv(2**16).startswith(b"HTTP/1.1 408 ")
    assert 0 < sent < 50


def test_who_reads_no_reply_loses_the_connection(service: Service) -> None:
    with service.connect() as greedy:
        greedy.settimeout(1)
        # Until the service reads no more, for its replies fill the buffers of both ends.
        with suppress(OSError):
            while True:
                greedy.sendall(SCHEMA * 100)
        gone = select.poll()
        gone.register(greedy, 0)  # for nothing but its end
        assert is_well(service)
        assert gone.poll(30_000)
    assert is_well(service)


def test_more_connections_than_there_may_be_are_refused(service: Service) -> None:
    with ExitStack() as opened:
        many = [opened.enter_context(service.connect()) for _ in range(Hasty.max_connections + 5)]
        replies = [read_all(connection) for connection in many]
    refused = [reply for reply in replies if reply.startswith(b"HTTP/1.1 503 ")]
    assert len(refused) == 5
    assert all(b"application/problem+json" in reply for reply in refused)
    assert is_well(service)
