"""A real S3 endpoint on loopback (moto's server), and a proxy before it that fails to order."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from threading import Lock, Thread

import pytest

from flows.common.config import Config
from support.runs.runs import config_in

pytest.importorskip("moto.server", reason="moto[server] is not installed: no S3 to test against")
pytest.importorskip("obstore", reason="obstore is not installed: no object store can be used")

SECRET = "A-Secret-That-Nobody-May-See"
KEY_ID = "AKIATHEKEYTHATISNAMED"
Answer = tuple[int, bytes]
Fault = Callable[[str, str], "Answer | str | None"]
"""What becomes of a request, by method and path: an answer, `before` or `after` for a connection
that is cut before or after the store did what was asked, or None: what the store says."""


@dataclass
class S3:
    """An endpoint and one of its buckets; `requests` are those through the proxy."""

    port: int
    bucket: str
    requests: list[tuple[str, str]] = field(default_factory=list)

    def environment(self) -> dict[str, str]:
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_ACCESS_KEY_ID": KEY_ID,
            "AWS_SECRET_ACCESS_KEY": SECRET,
            "AWS_REGION": "us-east-1",
        }

    def config(self, folder: Path, prefix: str = "a/prefix") -> Config:
        """Configure a run of the coordinator whose own disk is `folder`."""
        update = {"data_dir": f"s3://{self.bucket}/{prefix}", "state_dir": folder / "state"}
        return config_in(folder).model_copy(update=update)


@contextmanager
def moto_server() -> Iterator[int]:
    """Run moto's server as a process, and give its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=os.environ
    ) as server:
        try:
            _wait_for(port)
            yield port
        finally:
            server.kill()


def _wait_for(port: int) -> None:
    for _ in range(300):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError("moto's server did not start")


def make_bucket(port: int, name: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("PUT", f"/{name}")
    assert connection.getresponse().status == 200
    connection.close()


def often(rate: float, seed: int = 3) -> Fault:
    """Fail this part of the requests, in every way that a store does."""
    choose, lock = Random(seed), Lock()
    slow_down = b"<Error><Code>SlowDown</Code><Message>Reduce your rate.</Message></Error>"

    def fault(method: str, path: str) -> Answer | str | None:  # noqa: ARG001 - a Fault
        with lock:
            if choose.random() >= rate:
                return None
            faults: list[Answer | str] = [(503, slow_down), (500, b""), "before", "after"]
            return choose.choice(faults)

    return fault


@contextmanager
def proxy(s3: S3, fault: Fault) -> Iterator[S3]:  # noqa: C901 - a handler's methods
    """Give the same store behind a proxy that fails as `fault` says, and notes what is asked."""
    seen: list[tuple[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            seen.append((self.command, self.path))
            what = fault(self.command, self.path)
            if isinstance(what, tuple):
                self._answer(what[0], what[1], {})
                return
            if what != "before":
                status, data, headers = self._forward(body)
            if what is None:
                self._answer(status, data, headers)
            else:
                self.close_connection = True

        def _forward(self, body: bytes) -> tuple[int, bytes, dict[str, str]]:
            connection = http.client.HTTPConnection("127.0.0.1", s3.port)
            connection.request(self.command, self.path, body, dict(self.headers))
            reply = connection.getresponse()
            data = reply.read()
            headers = dict(reply.getheaders())
            connection.close()
            return reply.status, data, headers

        def _answer(self, status: int, data: bytes, headers: dict[str, str]) -> None:
            self.send_response_only(status)
            own = {"content-length", "connection", "transfer-encoding"}
            for name, value in headers.items():
                if name.lower() not in own or self.command == "HEAD":
                    self.send_header(name, value)
            if self.command != "HEAD":
                self.send_header("Content-Length", str(len(data)))
            elif "Content-Length" not in headers:
                self.send_header("Content-Length", "0")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)

        do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _handle  # noqa: N815 - its names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield S3(server.server_address[1], s3.bucket, seen)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
