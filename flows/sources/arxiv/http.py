"""One guarded GET: paced, limited in size, kept on its host, and made again when it fails."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from threading import Lock
from types import TracebackType
from typing import Generic, Self, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential, wait_random

from flows.common.errors import ArxivReplyError, ArxivUnreachableError, ConfigError
from flows.common.process.progress import LOGGER
from flows.common.terminal import quoted
from flows.sources.arxiv.budget import Budget, keep_to
from flows.sources.arxiv.rate_limit import Pace
from flows.sources.arxiv.response import (
    PassingError,
    TooLargeError,
    check_status,
    read_body,
    redirect_target,
)
from transforms.parsing.oai_xml import MAX_PAGE_BYTES, PageError

CONNECT_SECONDS = 30.0
LONGEST_BACK_OFF = 120.0
LONGEST_RETRY_AFTER = 3600.0
MAX_REDIRECTS = 3

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Patience:
    """How long, how often and for how much: arXiv's CDN gives up with a 503 after 183 s.

    `read_seconds` is for the server's silence, `total_seconds` for one request and its whole reply:
    5 MB, arXiv's largest page, then still come at 100 kbit/s.
    """

    read_seconds: float = 200.0
    attempts: int = 8
    max_bytes: int = MAX_PAGE_BYTES
    total_seconds: float = 600.0


PATIENCE = Patience()


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

    def __init__(self, user_agent: str, pace: Pace, patience: Patience) -> None:
        """Connect at the first request; see `make_user_agent`."""
        self._pace = pace
        self._patience = patience
        self._back_off = wait_exponential(pace.seconds, LONGEST_BACK_OFF) + wait_random(
            0, pace.seconds
        )
        # Gzip alone is asked for, since `read_body` has to bound what comes out of it.
        self._client = httpx.Client(
            headers={"User-Agent": user_agent, "Accept-Encoding": "gzip"},
            timeout=httpx.Timeout(patience.read_seconds, connect=CONNECT_SECONDS),
            limits=httpx.Limits(max_connections=1),
            follow_redirects=False,
        )
        self._budget = Budget(patience.total_seconds, patience.max_bytes)
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
        """Ask until a reply comes that `parse` takes; its `PageError` is a failure like others.

        Raises `ArxivUnreachableError` when the attempts are used up, `ArxivDeniedError`,
        `ArxivReplyError`, and what else `parse` raises. A fetcher that was closed meanwhile makes
        no new attempt, which is a `RuntimeError`.
        """
        try:
            with self._in_use:
                return self._insist(url, parse)
        finally:
            # After the lock is free, so that one of the two who may have to close does.
            if self._is_closed:
                self._client.close()

    def _insist(self, url: httpx.URL, parse: Callable[[bytes], _T]) -> Reply[_T]:
        def attempt() -> Reply[_T]:
            raw = self._follow(url)
            try:
                return Reply(raw, parse(raw))
            except PageError as error:
                raise PassingError(str(error)) from None

        retrying = Retrying(
            retry=retry_if_exception_type(PassingError),
            stop=stop_after_attempt(self._patience.attempts),
            wait=self._wait,
            before_sleep=self._log,
            reraise=True,
        )
        try:
            return retrying(attempt)
        except PassingError as error:
            raise ArxivUnreachableError(
                f"arXiv gave no usable reply to {url} in {self._patience.attempts} attempts, "
                f"the last time because of: {error}; try again later"
            ) from None

    def _wait(self, state: RetryCallState) -> float:
        error = _failure(state)
        if not isinstance(error, PassingError) or error.retry_after is None:
            return self._back_off(state)
        # ArXiv's CDN sends `Retry-After: 0`; the pace is the least there is.
        return max(self._pace.seconds, min(error.retry_after, LONGEST_RETRY_AFTER))

    def _log(self, state: RetryCallState) -> None:
        LOGGER.info(
            "A request to arXiv failed (%s); attempt %d of %d follows in %.0f s.",
            _failure(state), state.attempt_number + 1, self._patience.attempts,
            state.upcoming_sleep,
        )  # fmt: skip

    def _follow(self, url: httpx.URL) -> bytes:
        """Return the body, after redirections by hand, each of which is a request of its own."""
        place = url
        for _ in range(MAX_REDIRECTS + 1):
            found = self._ask(place)
            if isinstance(found, bytes):
                return found
            place = found
        raise ArxivReplyError(f"{url} was redirected more than {MAX_REDIRECTS} times")

    def _ask(self, url: httpx.URL) -> bytes | httpx.URL:
        """Make one request; return the body, or where it is redirected to."""
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
                    return read_body(response, self._patience.max_bytes)
        except httpx.TransportError as error:
            # The text may repeat a header of 100 kB.
            raise PassingError(f"{type(error).__name__} {str(error)[:200]}".strip()) from None
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


def _failure(state: RetryCallState) -> BaseException | None:
    return state.outcome.exception() if state.outcome else None
