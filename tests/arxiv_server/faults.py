"""What a test can order to go wrong, each as a value given to `ArxivServer.order`."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from random import Random
from typing import Literal

from arxiv_server.papers.library import Library
from arxiv_server.reply import Reply, cut_at

_HTML = (
    b"<!DOCTYPE html><html><head><title>Wait</title></head><body><p>One moment<br></body></html>"
)
_GARBAGE = {
    "html": _HTML,
    "broken": b'<?xml version="1.0"?><OAI-PMH><ListRecords><record>&nbsp;</ListRecords></OAI-PMH>',
    "latin1": b'<?xml version="1.0" encoding="UTF-8"?><OAI-PMH><error>\xe9\xff</error></OAI-PMH>',
    "empty": b"",
}


class Fault:
    """A fault: it may change the library before the answer, and the reply after it."""

    def before(self, library: Library, served: Sequence[str]) -> None:
        """Change the library; `served` are the ids already served, the latest last."""

    def after(self, reply: Reply) -> Reply:
        """Return what is sent instead of this reply."""
        return reply


@dataclass(frozen=True)
class Unavailable(Fault):
    """A refusal, with a Retry-After of seconds or of an HTTP date if given; 429 and 5xx too."""

    retry_after: str | None = None
    status: int = 503

    def after(self, reply: Reply) -> Reply:
        """Answer the status with a page for people."""
        headers = {"Content-Type": "text/html"}
        if self.retry_after is not None:
            headers["Retry-After"] = self.retry_after
        return replace(reply, status=self.status, body=_HTML, headers=headers)


@dataclass(frozen=True)
class Forbidden(Fault):
    """The answer to a denied crawler."""

    def after(self, reply: Reply) -> Reply:
        """Answer 403."""
        return replace(reply, status=403, body=_HTML, headers={"Content-Type": "text/html"})


@dataclass(frozen=True)
class Truncate(Fault):
    """A body silently short: HTTP 200 with the Content-Length of what is left; `at` as in cut."""

    at: float

    def after(self, reply: Reply) -> Reply:
        """Shorten the body before it is compressed and measured."""
        return replace(reply, body=reply.body[: cut_at(self.at, len(reply.body))])


@dataclass(frozen=True)
class CutConnection(Fault):
    """A connection closed within the body, whose Content-Length promises the whole."""

    at: float

    def after(self, reply: Reply) -> Reply:
        """Mark where to cut."""
        return replace(reply, cut=self.at)


@dataclass(frozen=True)
class DropConnection(Fault):
    """A connection closed without any reply."""

    def after(self, reply: Reply) -> Reply:
        """Mark the reply as not to be sent."""
        return replace(reply, dropped=True)


@dataclass(frozen=True)
class SlowFirstByte(Fault):
    """A reply which starts late; the server's stop ends the wait."""

    seconds: float

    def after(self, reply: Reply) -> Reply:
        """Delay the first byte."""
        return replace(reply, delay=self.seconds)


@dataclass(frozen=True)
class Garbage(Fault):
    """HTTP 200 with something else: a page for people, broken XML, bad UTF-8, or nothing."""

    kind: Literal["html", "broken", "latin1", "empty"]

    def after(self, reply: Reply) -> Reply:
        """Replace the body."""
        content = "text/html" if self.kind == "html" else "application/xml"
        return replace(
            reply, status=200, body=_GARBAGE[self.kind], headers={"Content-Type": content}
        )


@dataclass(frozen=True)
class Redirect(Fault):
    """A redirection (302) to any address."""

    to: str

    def after(self, reply: Reply) -> Reply:
        """Point elsewhere."""
        return replace(reply, status=302, body=b"", headers={"Location": self.to})


@dataclass(frozen=True)
class Oversized(Fault):
    """
    A well-formed reply of at least so many bytes, most of them white space.

    It is built in memory; if the client accepts gzip it arrives as a small compression bomb.
    """

    size: int

    def after(self, reply: Reply) -> Reply:
        """Pad the body before its last closing tag."""
        head, tag, tail = reply.body.rpartition(b"</")
        return replace(reply, body=head + b" " * (self.size - len(reply.body)) + tag + tail)


@dataclass(frozen=True)
class Restamp(Fault):
    """A change, before this answer, of papers already served (the latest so many, or these)."""

    papers: int | tuple[str, ...]
    to: date

    def before(self, library: Library, served: Sequence[str]) -> None:
        """Move the papers to the new day."""
        library.restamp(_chosen(self.papers, library, served), self.to)


@dataclass(frozen=True)
class Vanish(Fault):
    """A removal, before this answer, of papers already served (the latest so many, or these)."""

    papers: int | tuple[str, ...]

    def before(self, library: Library, served: Sequence[str]) -> None:
        """Remove the papers."""
        library.remove(*_chosen(self.papers, library, served))


@dataclass(frozen=True)
class CachedError(Fault):
    """An OAI error which sticks to this URL until `ArxivServer.clear_cache` or the next day."""

    code: str


@dataclass(frozen=True)
class Stale(Fault):
    """A reply of an earlier moment, from a cache on the way."""

    body: bytes

    def after(self, reply: Reply) -> Reply:
        """Answer what was answered then."""
        return replace(reply, body=self.body)


def _chosen(
    papers: int | tuple[str, ...], library: Library, served: Sequence[str]
) -> tuple[str, ...]:
    if isinstance(papers, tuple):
        return papers
    kept = [paper for paper in dict.fromkeys(reversed(served)) if paper in library]
    return tuple(kept[:papers])


def random_faults(
    seed: int, requests: int, share: float, restamp_to: date
) -> list[tuple[int, Fault]]:
    """
    Compose a mix of passing faults over so many requests, as (requests to let pass, fault).

    None of them asks the client to wait more than a second; none ends a harvest for good.
    """
    rng = Random(seed)
    kinds: list[Fault] = [
        Unavailable(), Unavailable("0"), Unavailable("1"), Unavailable("0", 429),
        Unavailable("Thu, 01 Jan 2026 00:00:00 GMT"), Unavailable(status=502),
        Truncate(rng.random()), CutConnection(rng.random()), DropConnection(),
        SlowFirstByte(0.05), Garbage("html"), Garbage("broken"), Garbage("empty"),
        Restamp(rng.randrange(1, 5), restamp_to),
    ]  # fmt: skip
    return [(index, rng.choice(kinds)) for index in range(requests) if rng.random() < share]
