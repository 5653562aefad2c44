"""Asking another registry: paced, bounded, and never anywhere else than where it was told."""

from dataclasses import replace
from functools import partial
from http import HTTPStatus

import httpx

from flows.common.errors import ConfigError, PithError
from flows.common.http.client import PacedClient, product
from flows.common.http.pace import Pace
from flows.common.http.response import TooLargeError, TransientError, check_transient
from flows.common.limits import RetryPolicy
from flows.common.process.exit_status import ExitStatus

MOST_BYTES = 64 * 2**20
"""Of one reply; a pack has 32 MiB, and its last bundle."""

LEAST_BACKOFF_SECONDS = 0.5
"""Before a request is made again, however fast the pace is."""


class RegistryError(PithError):
    """A registry that cannot be asked, or answers what no registry answers."""

    exit_status = ExitStatus.UNREACHABLE


class RegistryClient(PacedClient):
    """The one connection to a registry, all of whose documents lie below one address."""

    def __init__(self, url: str, pace: Pace, policy: RetryPolicy) -> None:
        """Connect at the first request; raises `ConfigError` for what is no address."""
        try:
            self._base = httpx.URL(url.rstrip("/"))
        except httpx.InvalidURL:
            self._base = httpx.URL()
        if self._base.scheme not in {"http", "https"} or not self._base.host or self._base.userinfo:
            raise ConfigError(f"{url!r:.200} is no address such as https://registry.example")
        super().__init__(
            self._base.netloc.decode("ascii"),
            user_agent=product(),
            pace=pace,
            policy=replace(policy, max_bytes=MOST_BYTES),
            least_backoff_seconds=LEAST_BACKOFF_SECONDS,
        )

    def get(self, key: str) -> bytes | None:
        """Return what lies at `key` below the address, or None where nothing does.

        What fails is asked again, later where the registry says when. Raises `RegistryError` for
        any other answer; redirections are not followed.
        """
        url = self._base.copy_with(raw_path=f"{self._base.path.rstrip('/')}/{key}".encode("ascii"))
        try:
            return self.insist(partial(self.request, url, _check))
        except _NotThereError:
            return None
        except TooLargeError as error:
            raise RegistryError(f"the reply to {url} has more than {error.limit} bytes") from None
        except TransientError as error:
            raise RegistryError(
                f"{self.server} gave no usable reply to /{key} in {self.policy.attempts} attempts, "
                f"the last time because of: {error}; the same command goes on later"
            ) from None


class _NotThereError(Exception):
    """Nothing lies at an address."""


def _check(response: httpx.Response) -> None:
    """Raise what another status than 200 means."""
    status = response.status_code
    if status in {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}:
        raise _NotThereError
    check_transient(response)
    if status != HTTPStatus.OK:
        elsewhere = ", which leads elsewhere; name that address, if it is right"
        raise RegistryError(
            f"{response.url} answers HTTP {status}{elsewhere if response.is_redirect else ''}"
        )
