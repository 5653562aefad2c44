"""A request as the answers to it see it, and the ASGI application of such an answer."""

from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from flows.registry.server.http.guard import Receive, Scope, Send, send_reply
from flows.registry.server.http.replies import Reply


class Request(NamedTuple):
    """A request without a body; `path` is decoded, headers are named in small letters.

    `query` is what follows the question mark, as it came.

    Of a header that stands twice the values are joined, as a list (RFC 9110, section 5.3).
    """

    method: str
    path: str
    headers: Mapping[str, str]
    query: str = ""


Answer = Callable[[Request], Awaitable[Reply]]


class Endpoint:
    """An answer as an ASGI application, which Starlette's routes take."""

    def __init__(self, answer: Answer) -> None:
        """Take what answers requests; it may raise `ProblemError`."""
        self._answer = answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        del receive
        sent, query = scope["headers"], scope["query_string"].decode("latin-1")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in sent}
        if len(headers) < len(sent):
            headers = _joined(sent)
        request = Request(scope["method"], scope["path"], headers, query)
        await send_reply(await self._answer(request), send)


def _joined(sent: list[tuple[bytes, bytes]]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for raw, value in sent:
        name, text = raw.decode("latin-1"), value.decode("latin-1")
        headers[name] = f"{headers[name]}, {text}" if name in headers else text
    return headers
