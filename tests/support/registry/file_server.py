"""A folder over HTTP as web servers give it: with ranges or without, and with its own page 404."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

RANGE = re.compile(r"bytes=(\d+)-(\d+)")


class _Server(ThreadingHTTPServer):
    request_queue_size = 128  # a page of modules asks for many at once


@dataclass
class Files:
    """Where the folder is served, and what was asked for: path and range, in order."""

    url: str
    asked: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def serve_files(folder: Path, *, ranges: bool = True) -> Iterator[Files]:
    """Serve a folder on loopback; without `ranges` as `python -m http.server` does."""

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def __init__(self, *args: object) -> None:
            super().__init__(*args, directory=str(folder))  # type: ignore[arg-type]

        def do_GET(self) -> None:
            asked = self.headers.get("Range", "")
            files.asked.append((self.path, asked))
            wanted = RANGE.fullmatch(asked)
            path = Path(self.translate_path(self.path))
            if ranges and wanted and path.is_file():
                self._send(206, path.read_bytes()[int(wanted[1]) : int(wanted[2]) + 1])
            elif not path.exists() and (folder / "404.html").exists():
                self._send(404, (folder / "404.html").read_bytes(), "text/html")
            else:
                super().do_GET()

        def _send(self, status: int, data: bytes, kind: str = "application/octet-stream") -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_args: object) -> None:
            pass

    with _Server(("127.0.0.1", 0), Handler) as server:
        files = Files(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield files
        finally:
            server.shutdown()
            thread.join()
