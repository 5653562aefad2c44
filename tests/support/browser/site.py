"""A small site on loopback: static files, pages from templates, and documents that a test adds."""

import mimetypes
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

from jinja2 import ChoiceLoader, DictLoader, Environment, FileSystemLoader, StrictUndefined

from flows.jobs.reports.rendering import style
from support.paths import ROOT

STATIC = ROOT / "flows" / "registry" / "static"
TEMPLATES = ROOT / "flows" / "registry" / "templates"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self' https: http://localhost:* http://127.0.0.1:*; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_BASE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{% block title %}A page{% endblock %}</title>
<link rel="icon" href="{{ root }}/icon.svg">
<link rel="stylesheet" href="{{ root }}/static/style.css">
<link rel="stylesheet" href="{{ root }}/static/site.css">
{% block head %}{% endblock %}
</head>
<body>
<header><a href="{{ root }}/">The registry</a></header>
<main>{% block main %}{% endblock %}</main>
</body>
</html>
"""
_ICON = b'<svg xmlns="http://www.w3.org/2000/svg"/>'


@dataclass(frozen=True, slots=True)
class Document:
    """What a test has served at a path."""

    data: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200


class Site:
    """The site's documents by path, and where it is."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.documents = {"/icon.svg": Document(_ICON, "image/svg+xml")}
        self.asked: list[str] = []
        """The path of every request, in order."""
        self._templates = Environment(
            loader=ChoiceLoader([DictLoader({"base.html": _BASE}), FileSystemLoader(TEMPLATES)]),
            autoescape=True,
            undefined=StrictUndefined,
        )

    def add_page(self, path: str, template: str, **values: object) -> None:
        """Serve a template of the registry at `path`, in a base of this module's own."""
        html = self._templates.get_template(template).render(root="", **values)
        self.documents[path] = Document(html.encode(), "text/html; charset=utf-8")

    def add_main(self, path: str, main: str) -> None:
        """Serve a page whose main part is `main`, with the site's styles."""
        page = f'{{% extends "base.html" %}}{{% block main %}}{main}{{% endblock %}}'
        html = self._templates.from_string(page).render(root="")
        self.documents[path] = Document(html.encode(), "text/html; charset=utf-8")

    def answer(self, path: str) -> Document:
        """Return what is at `path`."""
        self.asked.append(path)
        if path in self.documents:
            return self.documents[path]
        if path == "/static/style.css":
            return Document(style(), "text/css")
        file = (STATIC / path.removeprefix("/static/")).resolve()
        if path.startswith("/static/") and file.is_relative_to(STATIC) and file.is_file():
            return Document(file.read_bytes(), _type_of(file))
        return Document(b"not found", "text/plain", status=404)


def _type_of(file: Path) -> str:
    return mimetypes.guess_type(file.name)[0] or "application/octet-stream"


@contextmanager
def serve_site() -> Iterator[Site]:
    """Serve a site over HTTP on loopback, to be filled while it is served."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            document = site.answer(self.path.partition("?")[0])
            self.send_response(document.status)
            headers = {
                "Content-Type": document.content_type,
                "Content-Length": str(len(document.data)),
                "Content-Security-Policy": POLICY,
                "X-Content-Type-Options": "nosniff",
                "Cache-Control": "no-store",
            }
            for name, value in {**headers, **document.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(document.data)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        site = Site(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
