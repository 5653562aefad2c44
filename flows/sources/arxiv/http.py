"""One guarded GET: paced, limited in size, kept on its host, and made again when it fails."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from threading import Lock
from types import TracebackType
from typing import Generic, Self, TypeVar

import httpx
import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from flows.common.errors import ArxivReplyError, ArxivUnreachableError, ConfigError
from flows.common.limits import RetryPolicy
from flows.common.process.progress import LOGGER
from flows.common.terminal import quoted
from flows.sources.arxiv.budget import Budget, keep_to
from flows.sources.arxiv.rate_limit import Pace
from flows.sources.arxiv.response import (
    TooLargeError,
    TransientError,
    check_status,
    read_body,
    redirect_target,
)
from transforms.parsing.oai_xml import PageError

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Reply(Generic[_T]):
    """A reply that was whole: its bytes, decompressed, and what they say."""

    raw: bytes
    value: _T


class Fetcher:
    """A context manager around the one connection to arXiv.

    The environment's proxies and certificates hold as elsewhere (httpx's `trust_env`), and
    certificates are verified.
    """

    def __init__(self, user_agent: str, pace: Pace, policy: RetryPolicy) -> None:
        """Connect at the first request; see `make_user_agent`."""
        self.policy = policy
        self._pace = pace
        # Gzip alone is asked for, since `read_body` has to bound what comes out of it.
        self._client = httpx.Client(
            headers={"User-Agent": user_agent, "Accept-Encoding": "gzip"},
            timeout=httpx.Timeout(policy.read_seconds, connect=policy.connect_seconds),
            limits=httpx.Limits(max_connections=1),
            follow_redirects=False,
        )
        self._budget = Budget(policy.total_seconds, policy.max_bytes)
        keep_to(self._budget, self._client)
        self._in_use = Lock()
        self._is_closed = False

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection, at once or after the request that another thread still makes.

        A socket closed under that thread leaves it reading from whatever gets its number next.
        """
        self._is_closed = True
        if self._in_use.acquire(blocking=False):
            try:
                self._client.close()
            finally:
                self._in_use.release()

    def get(self, url: httpx.URL, parse: Callable[[bytes], _T]) -> Reply[_T]:
        """Return the first reply that `parse` takes; its `PageError` is a failure like others.

        Raises `ArxivUnreachableError` when the attempts are used up, `ArxivDeniedError`,
        `ArxivReplyError`, and what else `parse` raises. A fetcher that was closed meanwhile makes
        no new attempt, which is a `RuntimeError`.
        """
        try:
            with self._in_use:
                return self._get(url, parse)
        finally:
            # After the lock is free, so that one of the two who may have to close does.
            if self._is_closed:
                self._client.close()

    def _get(self, url: httpx.URL, parse: Callable[[bytes], _T]) -> Reply[_T]:
        retried = stamina.retry(
            on=self._retry_after,
            attempts=self.policy.attempts,
            timeout=None,
            wait_initial=self._pace.seconds,
            wait_max=self.policy.longest_backoff_seconds,
            wait_jitter=self._pace.seconds,
        )
        try:
            return retried(Fetcher._attempt)(self, url, parse)
        except TransientError as error:
            raise ArxivUnreachableError(
                f"arXiv gave no usable reply to {url} in {self.policy.attempts} attempts, "
                f"the last time because of: {error}; try again later"
            ) from None

    def _attempt(self, url: httpx.URL, parse: Callable[[bytes], _T]) -> Reply[_T]:
        raw = self._follow(url)
        try:
            return Reply(raw, parse(raw))
        except PageError as error:
            raise TransientError(str(error)) from None

    def _retry_after(self, error: Exception) -> bool | float:
        """Return whether an error is retried, or after how many seconds if the server says so."""
        if not isinstance(error, TransientError):
            return False
        if error.retry_after is None:
            return True
        # ArXiv's CDN sends `Retry-After: 0`; the pace is the least there is.
        longest = self.policy.longest_retry_after_seconds
        return max(float(self._pace.seconds), min(error.retry_after, longest))

    def _follow(self, url: httpx.URL) -> bytes:
        """Return the body, after redirections by hand, each of which is a request of its own."""
        location = url
        for _ in range(self.policy.max_redirects + 1):
            found = self._request(location)
            if isinstance(found, bytes):
                return found
            location = found
        raise ArxivReplyError(f"{url} was redirected more than {self.policy.max_redirects} times")

    def _request(self, url: httpx.URL) -> bytes | httpx.URL:
        """Return the body of one request's reply, or where it is redirected to."""
        try:
            with self._pace.turn():
                if self._is_closed:
                    raise RuntimeError("the connection to arXiv was closed")
                self._budget.begin()
                with self._client.stream("GET", url) as response:
                    if response.has_redirect_location:
                        return redirect_target(response)
                    check_status(response)
                    self._budget.allow_body()
                    return read_body(response, self.policy.max_bytes)
        except httpx.TransportError as error:
            # The text may repeat a header of 100 kB.
            raise TransientError(f"{type(error).__name__} {str(error)[:200]}".strip()) from None
        except TooLargeError as error:
            raise ArxivReplyError(f"the reply to {url} has more than {error.limit} bytes") from None


def make_user_agent(contact: str) -> str:
    """Return the User-Agent with which arXiv can tell this project and write to `contact`.

    Raises `ConfigError` for a contact that cannot stand in an HTTP header.
    """
    if not (contact.isascii() and contact.isprintable()) or set(contact) & set("()\\"):
        raise ConfigError(
            f"arxiv.contact {quoted(contact)} must be plain text such as mailto:you@example.org"
        )
    name = f"pith-ingest/{version('pith-ingest')}"
    return f"{name} ({contact})" if contact else name


def _log_retry(details: RetryDetails) -> None:
    fetcher = details.args[0] if details.args else None
    if isinstance(fetcher, Fetcher):
        LOGGER.info(
            "A request to arXiv failed (%s); attempt %d of %d follows in %.0f s.",
            details.caused_by, details.retry_num + 1, fetcher.policy.attempts, details.wait_for,
        )  # fmt: skip


# Stamina's own way to log is a warning with fields, for programs; its hooks are one list a process.
set_on_retry_hooks([_log_retry])
