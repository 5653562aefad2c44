"""One guarded GET of arXiv: kept on its host, and made again when it fails or says nothing."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

import httpx

from flows.common.errors import ArxivReplyError, ArxivUnreachableError, ConfigError
from flows.common.http.client import PacedClient, product
from flows.common.http.pace import Pace
from flows.common.http.response import TooLargeError, TransientError
from flows.common.limits import RetryPolicy
from flows.common.terminal import quoted
from flows.sources.arxiv.response import check_status, redirect_target
from transforms.parsing.oai_xml import PageError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reply(Generic[_T]):
    """A reply that was whole: its bytes, decompressed, and what they say."""

    raw: bytes
    value: _T


class Fetcher(PacedClient):
    """A context manager around the one connection to arXiv."""

    def __init__(self, user_agent: str, pace: Pace, policy: RetryPolicy) -> None:
        """Connect at the first request; see `make_user_agent`."""
        super().__init__("arXiv", user_agent=user_agent, pace=pace, policy=policy)

    def get(self, url: httpx.URL, parse: Callable[[bytes], _T]) -> Reply[_T]:
        """Return the first reply that `parse` takes; its `PageError` is a failure like others.

        Raises `ArxivUnreachableError` when the attempts are used up, `ArxivDeniedError`,
        `ArxivReplyError`, and what else `parse` raises. A fetcher that was closed meanwhile makes
        no new attempt, which is a `RuntimeError`.
        """
        try:
            return self.insist(partial(self._parsed, url, parse))
        except TransientError as error:
            raise ArxivUnreachableError(
                f"arXiv gave no usable reply to {url} in {self.policy.attempts} attempts, "
                f"the last time because of: {error}; try again later"
            ) from None

    def _parsed(self, url: httpx.URL, parse: Callable[[bytes], _T]) -> Reply[_T]:
        raw = self._follow(url)
        try:
            return Reply(raw, parse(raw))
        except PageError as error:
            raise TransientError(str(error)) from None

    def _follow(self, url: httpx.URL) -> bytes:
        """Return the body, after redirections by hand, each of which is a request of its own."""
        location = url
        for _ in range(self.policy.max_redirects + 1):
            try:
                found = self.request(location, _judge)
            except TooLargeError as error:
                raise ArxivReplyError(
                    f"the reply to {location} has more than {error.limit} bytes"
                ) from None
            if isinstance(found, bytes):
                return found
            location = found
        raise ArxivReplyError(f"{url} was redirected more than {self.policy.max_redirects} times")


def _judge(response: httpx.Response) -> httpx.URL | None:
    """Return where a reply redirects to, None where its body is the answer."""
    if response.has_redirect_location:
        return redirect_target(response)
    check_status(response)
    return None


def make_user_agent(contact: str) -> str:
    """Return the User-Agent with which arXiv can tell this project and write to `contact`.

    Raises `ConfigError` for a contact that cannot stand in an HTTP header.
    """
    if not (contact.isascii() and contact.isprintable()) or set(contact) & set("()\\"):
        raise ConfigError(
            f"arxiv.contact {quoted(contact)} must be plain text such as mailto:you@example.org"
        )
    return f"{product()} ({contact})" if contact else product()
