"""The one connection to a server: paced, limited in time and size; what fails is asked again."""

from collections.abc import Callable
from importlib.metadata import version
from threading import Lock
from types import TracebackType
from typing import Self, TypeVar

import httpx
import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from flows.common.http.budget import Budget, keep_to
from flows.common.http.pace import Pace
from flows.common.http.response import TransientError, read_body
from flows.common.limits import RetryPolicy
from flows.common.process.progress import LOGGER

_T = TypeVar("_T")


def product() -> str:
    """Return how this program names itself to servers."""
    return f"pith-ingest/{version('pith-ingest')}"


class PacedClient:
    """A context manager around the one connection to a server.

    The environment's proxies and certificates hold as elsewhere (httpx's `trust_env`), and
    certificates are verified. Redirections are not followed.
    """

    def __init__(
        self,
        server: str,
        *,
        user_agent: str,
        pace: Pace,
        policy: RetryPolicy,
        least_backoff_seconds: float = 0.0,
    ) -> None:
        """Connect at the first request; messages call it `server`.

        Before a request is made again at least `least_backoff_seconds` go by, and the pace.
        """
        self.server = server
        self.policy = policy
        self._pace = pace
        self._backoff_seconds = max(pace.seconds, least_backoff_seconds)
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

    def insist(self, attempt: Callable[[], _T]) -> _T:
        """Return what the first attempt returns that raises no `TransientError`.

        Raises the last one when the attempts are used up, and what else `attempt` raises. A client
        that was closed meanwhile makes no new request, which is a `RuntimeError`.
        """
        retried = stamina.retry(
            on=self._retry_after,
            attempts=self.policy.attempts,
            timeout=None,
            wait_initial=self._backoff_seconds,
            wait_max=self.policy.longest_backoff_seconds,
            wait_jitter=self._pace.seconds,
        )
        try:
            with self._in_use:
                return retried(PacedClient._attempt)(self, attempt)
        finally:
            # After the lock is free, so that one of the two who may have to close does.
            if self._is_closed:
                self._client.close()

    def _attempt(self, attempt: Callable[[], _T]) -> _T:
        return attempt()

    def _retry_after(self, error: Exception) -> bool | float:
        """Return whether an error is retried, or after how many seconds if the server says so."""
        if not isinstance(error, TransientError):
            return False
        if error.retry_after is None:
            return True
        # ArXiv's CDN sends `Retry-After: 0`; the pace is the least there is.
        longest = self.policy.longest_retry_after_seconds
        return max(float(self._pace.seconds), min(error.retry_after, longest))

    def request(self, url: httpx.URL, judge: Callable[[httpx.Response], _T | None]) -> bytes | _T:
        """Make one request, and return what `judge` makes of the reply's head, or else its body.

        Raises `TransientError`, `TooLargeError`, and what `judge` raises.
        """
        try:
            with self._pace.turn():
                if self._is_closed:
                    raise RuntimeError(f"the connection to {self.server} was closed")
                self._budget.begin()
                with self._client.stream("GET", url) as response:
                    if (found := judge(response)) is not None:
                        return found
                    self._budget.allow_body()
                    return read_body(response, self.policy.max_bytes)
        except httpx.TransportError as error:
            # The text may repeat a header of 100 kB.
            raise TransientError(f"{type(error).__name__} {str(error)[:200]}".strip()) from None


def _log_retry(details: RetryDetails) -> None:
    client = details.args[0] if details.args else None
    if isinstance(client, PacedClient):
        LOGGER.info(
            "A request to %s failed (%s); attempt %d of %d follows in %.0f s.",
            client.server, details.caused_by, details.retry_num + 1, client.policy.attempts,
            details.wait_for,
        )  # fmt: skip


# Stamina's own way to log is a warning with fields, for programs; its hooks are one list a process.
set_on_retry_hooks([_log_retry])
