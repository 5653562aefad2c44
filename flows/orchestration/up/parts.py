"""The three parts of `up`: what each is started with, where it answers, whether it is well."""

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from flows.orchestration.up.health import Addresses, Health
from flows.orchestration.up.interrupted import Interrupted

PREFECT, JOBS, SITE = "prefect", "jobs", "site"
NAMES = (PREFECT, JOBS, SITE)
FOLDER = "prefect"
DATABASE = "prefect.db"
_KEY = "PITH_SIGNING_KEY"


@dataclass(frozen=True, slots=True)
class Part:
    """A process that is kept running.

    `problem` says why it is not well, having been started at that time, or None. `needs` names the
    part that must be well before it starts; `before` is called just then and after the last stop,
    and returns what it did, a sentence each; `stopping` is called before it is stopped.
    With `children_first` it is told to stop once the processes that it started have ended.
    """

    name: str
    words: tuple[str, ...]
    environment: Mapping[str, str]
    problem: Callable[[datetime], Awaitable[str | None]]
    about: str
    stop_seconds: float
    needs: str | None = None
    before: Callable[[], Awaitable[list[str]]] | None = None
    stopping: Callable[[], Awaitable[None]] | None = None
    children_first: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Where everything is: Prefect's folder, the hosts and ports, what names the configuration."""

    folder: Path
    addresses: Addresses
    options: tuple[str, ...] = ()
    """`--config` and `--data` as the commands take them."""


def make_parts(place: Place, health: Health, interrupted: Interrupted) -> list[Part]:
    """Return the parts in the order in which they start; they stop as `STOP_ORDER` says."""
    environment = environment_of(place)
    keyless = {name: value for name, value in environment.items() if name != _KEY}
    at = place.addresses
    server = ("prefect", "server", "start", "--log-level", "WARNING")
    site = ("flows.cli.main", "registry", "serve", "--no-access-log")
    return [
        Part(
            PREFECT,
            (*server, "--host", at.prefect_host, "--port", str(at.prefect_port)),
            keyless,
            lambda _: health.prefect(),
            about=at.prefect,
            stop_seconds=20,
        ),
        Part(
            JOBS,
            ("flows.cli.main", "serve", *place.options),
            environment,
            health.jobs,
            about="backfill, nightly and rerun can be started there",
            # So long a run may take to the end of a commit.
            stop_seconds=60,
            needs=PREFECT,
            before=interrupted.put_back,
            stopping=interrupted.note,
            # Prefect 3.7's serve kills its runs when it is stopped, whatever they are at.
            children_first=True,
        ),
        Part(
            SITE,
            (*site, "--host", at.host, "--port", str(at.port), *place.options),
            keyless,
            lambda _: health.site(),
            about=at.site,
            stop_seconds=20,
        ),
    ]


STOP_ORDER = (JOBS, SITE, PREFECT)
"""First what works, so that a run still has a server to tell how it ended."""


def environment_of(place: Place) -> dict[str, str]:
    """Return the environment of the parts: Prefect keeps to its folder and to its own server."""
    folder, kept = place.folder, dict(os.environ)
    for name in ("FORCE_COLOR", "PREFECT_PROFILE", "PREFECT_SERVER_DATABASE_CONNECTION_URL"):
        kept.pop(name, None)
    own = {
        "PREFECT_HOME": str(folder),
        "PREFECT_PROFILES_PATH": str(folder / "profiles.toml"),
        # Its default is ~/.prefect, whatever PREFECT_HOME says (Prefect 3.7).
        "PREFECT_SERVER_MEMO_STORE_PATH": str(folder / "memo_store.toml"),
        "PREFECT_API_DATABASE_CONNECTION_URL": f"sqlite+aiosqlite:///{folder / DATABASE}",
        "PREFECT_API_URL": place.addresses.api,
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "NO_COLOR": "1",
        "PYTHONUNBUFFERED": "1",
    }
    return kept | own
