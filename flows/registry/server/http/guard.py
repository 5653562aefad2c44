"""What every request meets first and every reply last: limits, errors, headers, the access log."""

import traceback
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from http import HTTPStatus
from json import dumps
from time import perf_counter, time
from typing import Any

from starlette.exceptions import HTTPException

from flows.common.errors import StoreError
from flows.common.terminal import echo, sentence
from flows.registry.server.http.negotiation import best_type
from flows.registry.server.http.problems import MEDIA_TYPE, ProblemError
from flows.registry.server.http.replies import Reply, make_reply, problem_reply

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ErrorPage = Callable[[HTTPStatus, str], bytes]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

MAX_PATH = 2000
"""Characters of a path: the longest name that means anything has 500."""
MAX_HEADERS = 100
MAX_HEADER_BYTES = 16 * 2**10
"""Of all headers of a request."""

_LOGGED = 500
"""Characters of each text of a request in the access log."""

METHODS = "GET, HEAD, OPTIONS"
_METHODS = {"GET", "HEAD", "OPTIONS"}
_FRAMING = {b"content-length", b"transfer-encoding"}
"""The headers that announce a body."""

SECURITY = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    # Scripts and styles are files of ours, never in a page. The page `verify` may ask any registry.
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self' https: http://localhost:* "
    "http://127.0.0.1:*; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
}
CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "ETag, Last-Modified, Content-Range, Accept-Ranges, Location",
}
_PREFLIGHT = {
    "allow": METHODS,
    "access-control-allow-methods": METHODS,
    "access-control-allow-headers": "Accept, If-None-Match, If-Modified-Since, If-Range, Range",
    "access-control-max-age": "86400",
}
_COMMON = [(name.encode(), value.encode()) for name, value in (SECURITY | CORS).items()]
_ANY_ORIGIN = [(b"access-control-allow-origin", b"*")]
"""All that a reply without a document needs, whose other headers the client has."""


class Guard:
    """The ASGI application around another: nothing that a request does goes past it."""

    def __init__(self, app: App, log: Callable[[str], None] | None, page: ErrorPage) -> None:
        """Take the application, what gets a line for each request, and what makes an error's page.

        None gets the lines where there is no log.
        """
        self._app = app
        self._log = log
        self._page = page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        started, sent = perf_counter(), _Sent(send)
        try:
            if refusal := _refusal(scope):
                await send_reply(self._refused(scope, refusal), sent)
            elif scope["method"] == "OPTIONS":
                await send_reply(make_reply(HTTPStatus.NO_CONTENT, _PREFLIGHT), sent)
            else:
                await self._app(scope, receive, sent)
        except Exception as error:
            if sent.status:
                raise
            await send_reply(self._refused(scope, _problem(error)), sent)
        finally:
            if self._log:
                self._log(_line(scope, sent, perf_counter() - started))

    def _refused(self, scope: Scope, problem: ProblemError) -> Reply:
        """Return the reply to a request that fails: a page for browsers, JSON for all others."""
        accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        types = (MEDIA_TYPE, "text/html")
        if best_type(accept[:_LOGGED].decode("latin-1"), types) != "text/html":
            return problem_reply(problem)
        headers = {"content-type": "text/html; charset=utf-8", "cache-control": "no-store"}
        page = self._page(problem.status, problem.detail)
        return make_reply(problem.status, {**headers, "vary": "Accept", **problem.headers}, page)


class _Sent:
    """Sends what it is given, with the headers that all replies have, and notes what it was."""

    __slots__ = ("_send", "length", "status")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0
        self.length = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = int(message["status"])
            is_whole = self.status != HTTPStatus.NOT_MODIFIED
            message["headers"] = [*message["headers"], *(_COMMON if is_whole else _ANY_ORIGIN)]
        else:
            self.length += len(message.get("body", b""))
        await self._send(message)


async def send_reply(reply: Reply, send: Send) -> None:
    """Send a whole reply."""
    await send(
        {"type": "http.response.start", "status": int(reply.status), "headers": reply.headers}
    )
    await send({"type": "http.response.body", "body": reply.body})


def _refusal(scope: Scope) -> ProblemError | None:
    """Return why a request gets no further, or None."""
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_PATH:
        detail = f"The address is longer than {MAX_PATH} characters."
        return ProblemError(HTTPStatus.REQUEST_URI_TOO_LONG, detail)
    size, has_body = 0, False
    for name, value in scope["headers"]:
        size += len(name) + len(value)
        if name in _FRAMING and value != b"0":
            has_body = True
    if len(scope["headers"]) > MAX_HEADERS or size > MAX_HEADER_BYTES:
        detail = f"A request has at most {MAX_HEADERS} headers, of {MAX_HEADER_BYTES} bytes."
        return ProblemError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, detail)
    closing = {"connection": "close"}
    if scope["method"] not in _METHODS:
        detail = f"Nothing is changed by requests here; what is understood: {METHODS}."
        return ProblemError(HTTPStatus.METHOD_NOT_ALLOWED, detail, {"allow": METHODS, **closing})
    if has_body:
        detail = "A request for a document has no body."
        return ProblemError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, closing)
    return None


def _problem(error: Exception) -> ProblemError:
    """Return what a stranger is told of an error; the rest of it is for standard error."""
    if isinstance(error, ProblemError):
        return error
    if isinstance(error, HTTPException):
        return ProblemError(HTTPStatus(error.status_code), error.detail)
    if isinstance(error, StoreError):
        echo(f"pith-ingest: {sentence(str(error))}", err=True)
        detail = "The registry cannot read this at the moment; its operator was told."
        return ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, detail, {"retry-after": "60"})
    for line in traceback.format_exception(error):
        echo(sentence(line), err=True)
    detail = "A fault of the registry itself; its operator was told."
    return ProblemError(HTTPStatus.INTERNAL_SERVER_ERROR, detail)


def write_line(line: str) -> None:
    """Write a line of the access log to standard output; whoever reads it may have gone."""
    with suppress(OSError, ValueError):
        echo(line)


def _line(scope: Scope, sent: _Sent, seconds: float) -> str:
    r"""Return the access log's line: what strangers wrote is in quotes, in ASCII, escaped."""
    query = scope["query_string"]
    target = scope["raw_path"] + (b"?" + query if query else b"")
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
    client = scope["client"][0] if scope["client"] else "-"
    request = f"{scope['method']} {target[:_LOGGED].decode('latin-1')}"
    now = time()
    moment = f"{_second(int(now))}.{int(now % 1 * 1000):03}Z"
    took = f"{seconds * 1000:.1f}ms"
    told = dumps(agent[:_LOGGED].decode("latin-1"))
    return f"{moment} {client} {dumps(request)} {sent.status} {sent.length} {took} {told}"


@lru_cache(1)
def _second(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%dT%H:%M:%S}"
