"""Whether the parts of `up` are well, asked over HTTP as their users ask them."""

import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

import httpx

from flows.orchestration.names import DEPLOYMENTS

FRESH_SECONDS = 60
"""So long ago `serve`, which asks for work every ten seconds, may have asked last."""

TIMEOUT_SECONDS = 10
EVER = datetime.min.replace(tzinfo=UTC)
"""In the place of when a part was started, where that does not matter."""

_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  # what is listened on, not a default


@dataclass(frozen=True, slots=True)
class Addresses:
    """Hosts and ports that are listened on, and the addresses at which this machine asks them."""

    host: str
    port: int
    prefect_host: str
    prefect_port: int

    @property
    def site(self) -> str:
        """The registry's site."""
        return _url(self.host, self.port)

    @property
    def prefect(self) -> str:
        """Prefect's pages."""
        return _url(self.prefect_host, self.prefect_port)

    @property
    def api(self) -> str:
        """Prefect's API."""
        return f"{self.prefect}/api"


def _url(host: str, port: int) -> str:
    host = _ANY.get(host, host)
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


@dataclass(frozen=True, slots=True)
class Health:
    """Asks each part whether it is well; the answer is None, or why it is not."""

    client: httpx.AsyncClient
    at: Addresses

    async def prefect(self) -> str | None:
        """Ask Prefect's server, and its database."""
        return await _problem(lambda: self.client.get(f"{self.at.api}/ready"))

    async def site(self) -> str | None:
        """Ask the registry's site."""
        return await _problem(lambda: self.client.get(f"{self.at.site}/healthz"))

    async def jobs(self, since: datetime = EVER) -> str | None:
        """Ask Prefect's server when the three deployments last asked for work, `since` at least."""
        try:
            polled = await self._last_polled()
        except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
            return f"Prefect's server does not tell: {_words(error)}"
        if sum(moment > since for moment in polled) < len(DEPLOYMENTS):
            return "has not asked for work yet"
        seconds = (datetime.now(UTC) - min(polled)).total_seconds()
        return f"has not asked for work for {seconds:.0f} s" if seconds > FRESH_SECONDS else None

    async def _last_polled(self) -> list[datetime]:
        wanted = {"deployments": {"name": {"any_": list(DEPLOYMENTS.values())}}}
        answer = await self.client.post(f"{self.at.api}/deployments/filter", json=wanted)
        found = answer.raise_for_status().json()
        return [datetime.fromisoformat(d["last_polled"]) for d in found if d["last_polled"]]


def make_client() -> httpx.AsyncClient:
    """Return a client for this machine's own services: no proxy, Prefect's password if it has one.

    A connection for each request: one that is kept may be of a process that is gone.
    """
    user, colon, password = os.environ.get("PREFECT_API_AUTH_STRING", "").partition(":")
    return httpx.AsyncClient(
        auth=(user, password) if colon else None,
        headers={"connection": "close"},
        timeout=TIMEOUT_SECONDS,
        trust_env=False,
    )


async def _problem(ask: Callable[[], Awaitable[httpx.Response]]) -> str | None:
    try:
        (await ask()).raise_for_status()
    except httpx.HTTPError as error:
        return _words(error)
    return None


def _words(error: Exception) -> str:
    if isinstance(error, httpx.HTTPStatusError):
        return f"it answers {error.response.status_code}"
    if isinstance(error, httpx.TimeoutException):
        return f"no answer within {TIMEOUT_SECONDS} s"
    return str(error) or type(error).__name__
