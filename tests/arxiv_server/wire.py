"""HTTP/1.1 on loopback: reads requests, sends replies, cuts connections as ordered."""

import gzip
import http.server
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl, urlsplit

from arxiv_server.papers.plan import Seen
from arxiv_server.reply import Reply, cut_at


class Wire(http.server.ThreadingHTTPServer):
    """
    Passes each request to `respond` and sends what it returns.

    Errors of the server itself are collected in `failures` instead of being printed.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self, port: int, respond: Callable[[Seen], Reply], *, compress: bool) -> None:
        """Bind to a port of 127.0.0.1, to a free one if it is 0."""
        super().__init__(("127.0.0.1", port), Handler)
        self.respond = respond
        self.compress = compress
        self.stopping = threading.Event()
        self.failures: list[BaseException] = []
        self.busiest = 0
        self._busy = 0
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True)

    def start(self) -> None:
        """Serve in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop at once, also where a client waits for a reply."""
        self.stopping.set()
        self.shutdown()
        self._thread.join()
        for connection in self._open.copy():
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue  # The client was faster.
        self.server_close()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """
        Count a request as being answered.

        That ends before the first byte leaves: a client cannot ask again earlier.
        """
        with self._lock:
            self._busy += 1
            self.busiest = max(self.busiest, self._busy)
        try:
            yield
        finally:
            with self._lock:
                self._busy -= 1

    def finish_request(self, request: object, client_address: object) -> None:
        """Handle a connection, remembering it for as long as it is open."""
        assert isinstance(request, socket.socket)
        self._open.add(request)
        try:
            Handler(request, client_address, self)
        finally:
            self._open.discard(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Collect an error, unless it is a client's hanging up."""
        del request, client_address
        error = sys.exception()
        if error is not None and not isinstance(error, OSError):
            self.failures.append(error)


class Handler(http.server.BaseHTTPRequestHandler):
    """Reads one connection's requests."""

    server: Wire
    protocol_version = "HTTP/1.1"
    # Head and body leave in one piece; in two they would wait for a delayed acknowledgement.
    wbufsize = 1 << 16

    def do_GET(self) -> None:
        """Answer a GET."""
        at = time.monotonic()
        parts = urlsplit(self.path)
        pairs = tuple(parse_qsl(parts.query, keep_blank_values=True))
        headers = {name.lower(): value for name, value in self.headers.items()}
        seen = Seen("GET", parts.path, pairs, headers, at, self.path)
        with self.server.busy():
            reply = self.server.respond(seen)
            stopped = reply.delay > 0 and self.server.stopping.wait(reply.delay)
        if stopped or reply.dropped:
            self.close_connection = True
        else:
            self._send(reply, headers.get("accept-encoding", ""))

    def log_message(self, *args: object) -> None:
        """Say nothing."""

    def _send(self, reply: Reply, accepted: str) -> None:
        body = reply.body
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if self.server.compress and "gzip" in accepted and body:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Vary", "Accept-Encoding")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if reply.cut is not None:
            self.close_connection = True
            body = body[: cut_at(reply.cut, len(body))]
        self.wfile.write(body)
