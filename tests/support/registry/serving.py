"""`pith-ingest registry serve` in a process of its own, asked over real HTTP."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from support.paths import ROOT


@dataclass
class Served:
    """A registry that is served: its port, its process, and where that writes."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    errors: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, path: str, **headers: str) -> httpx.Response:
        """Ask for a path as it is, without compression unless the headers say so."""
        return self.ask("GET", path, **headers)

    def ask(self, method: str, path: str, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        with httpx.Client(base_url=self.url, timeout=30) as client:
            return client.request(method, path, headers={"accept-encoding": "identity"} | sent)

    def raw(self, request: bytes) -> bytes:
        """Send bytes as they are, and return all that comes until the service closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=30) as connection:
            connection.sendall(request)
            return read_all(connection)

    def stop(self, number: int = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=60)


def read_all(connection: socket.socket) -> bytes:
    received = b""
    while data := connection.recv(2**16):
        received += data
    return received


@contextmanager
def serving(folder: Path, *options: str) -> Iterator[Served]:
    """Serve `folder`/data on a free port, and wait until it answers."""
    log, errors = folder / "access.log", folder / "errors.log"
    own = ("PITH_", "PREFECT_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    command = [
        sys.executable, "-m", "flows.cli.main", "registry", "serve", "--port", "0",
        "--data", str(folder / "data"), *options,
    ]  # fmt: skip
    with log.open("wb") as out, errors.open("wb") as err:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**clean, "HOME": str(folder)}, stdout=out, stderr=err
        )
    try:
        yield _answering(process, log, errors)
    finally:
        process.kill()
        process.wait()


def _answering(process: subprocess.Popen[bytes], log: Path, errors: Path) -> Served:
    """Wait for the line that names the port, and then for a worker's first answer."""
    while not (said := re.search(r"at http://\S+:(\d+)\n", log.read_text())):
        if process.poll() is not None:
            raise AssertionError(errors.read_text())
    served = Served(int(said[1]), process, log, errors)
    # The socket listens already: the first request waits until a worker takes it.
    assert served.get("/healthz").status_code == 200
    return served
