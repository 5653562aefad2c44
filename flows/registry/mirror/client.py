"""Asking another registry: paced, bounded, and never anywhere else than where it was told."""

from http import HTTPStatus
from importlib.metadata import version
from types import TracebackType
from typing import Self

import httpx
import stamina
from stamina.instrumentation import RetryDetails, set_on_retry_hooks

from flows.common.errors import ConfigError, PithError
from flows.common.limits import RetryPolicy
from flows.common.process.clock import utc_now
from flows.common.process.exit_status import ExitStatus
from flows.common.process.progress import LOGGER
from flows.sources.arxiv.budget import Budget, keep_to
from flows.sources.arxiv.rate_limit import Pace
from flows.sources.arxiv.response import TooLargeError, TransientError, read_body, retry_after

MOST_BYTES = 64 * 2**20
"""Of one reply; a pack has 32 MiB, and its last bundle."""

LEAST_BACKOFF_SECONDS = 0.5
"""Before a request is made again, however fast the pace is."""

_TRANSIENT = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS}


class RegistryError(PithError):
    """A registry that cannot be asked, or answers what no registry answers."""

    exit_status = ExitStatus.UNREACHABLE


class RegistryClient:
    """The one connection to a registry, all of whose documents lie below one address."""

    def __init__(self, url: str, pace: Pace, policy: RetryPolicy) -> None:
        """Connect at the first request; raises `ConfigError` for what is no address."""
        try:
            self._base = httpx.URL(url.rstrip("/"))
        except httpx.InvalidURL:
            self._base = httpx.URL()
        if self._base.scheme not in {"http", "https"} or not self._base.host or self._base.userinfo:
            raise ConfigError(f"{url!r:.200} is no address such as https://registry.example")
        self._pace, self._policy = pace, policy
        self._client = httpx.Client(
            headers={
                "User-Agent": f"pith-ingest/{version('pith-ingest')}",
                "Accept-Encoding": "gzip",
            },
            timeout=httpx.Timeout(policy.read_seconds, connect=policy.connect_seconds),
            limits=httpx.Limits(max_connections=1),
            follow_redirects=False,
        )
        self._budget = Budget(policy.total_seconds, MOST_BYTES)
        keep_to(self._budget, self._client)

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connection."""
        self._client.close()

    @property
    def host(self) -> str:
        """Where it asks, for messages."""
        return self._base.netloc.decode("ascii")

    def get(self, key: str) -> bytes | None:
        """Return what lies at `key` below the address, or None where nothing does.

        What fails is asked again, later where the registry says when. Raises `RegistryError` for
        any other answer; redirections are not followed.
        """
        retried = stamina.retry(
            on=self._retry_after,
            attempts=self._policy.attempts,
            timeout=None,
            wait_initial=max(self._pace.seconds, LEAST_BACKOFF_SECONDS),
            wait_max=self._policy.longest_backoff_seconds,
            wait_jitter=self._pace.seconds,
        )
        url = self._base.copy_with(raw_path=f"{self._base.path.rstrip('/')}/{key}".encode("ascii"))
        try:
            return retried(RegistryClient._attempt)(self, url)
        except TransientError as error:
            raise RegistryError(
                f"{self.host} gave no usable reply to /{key} in {self._policy.attempts} attempts, "
                f"the last time because of: {error}; the same command goes on later"
            ) from None

    def _attempt(self, url: httpx.URL) -> bytes | None:
        try:
            with self._pace.turn():
                self._budget.begin()
                with self._client.stream("GET", url) as response:
                    if not _is_there(response):
                        return None
                    self._budget.allow_body()
                    return read_body(response, MOST_BYTES)
        except httpx.TransportError as error:
            raise TransientError(f"{type(error).__name__} {str(error)[:200]}".strip()) from None
        except TooLargeError as error:
            raise RegistryError(f"the reply to {url} has more than {error.limit} bytes") from None

    def _retry_after(self, error: Exception) -> bool | float:
        if not isinstance(error, TransientError):
            return False
        if error.retry_after is None:
            return True
        longest = self._policy.longest_retry_after_seconds
        return max(float(self._pace.seconds), min(error.retry_after, longest))


def _is_there(response: httpx.Response) -> bool:
    """Return whether a body follows; raises what another status than 200 and 404 means."""
    status = response.status_code
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        return False
    if status in _TRANSIENT or response.is_server_error:
        asked = retry_after(response.headers.get("Retry-After"), utc_now())
        raise TransientError(f"HTTP {status}", asked)
    if status != HTTPStatus.OK:
        raise RegistryError(
            f"{response.url} answers HTTP {status}"
            + (
                ", which leads elsewhere; name that address, if it is right"
                if response.is_redirect
                else ""
            )
        )
    return True


def _log_retry(details: RetryDetails) -> None:
    client = details.args[0] if details.args else None
    if isinstance(client, RegistryClient):
        LOGGER.info(
            "A request to %s failed (%s); attempt %d follows in %.0f s.",
            client.host, details.caused_by, details.retry_num + 1, details.wait_for,
        )  # fmt: skip


# As in `flows/sources/arxiv/http.py`: one list a process, and no command asks both.
set_on_retry_hooks([_log_retry])
