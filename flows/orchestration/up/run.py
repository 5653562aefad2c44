"""`pith-ingest up` from its first look to its last word, and what `up --check` finds."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from flows.common.config import Config
from flows.common.errors import StoreError
from flows.common.process.exit_status import ExitStatus
from flows.common.process.signals import SIGNALS
from flows.common.terminal import Tone
from flows.ingest.worker_context import layout_of
from flows.orchestration.up.checks import check_database, check_ports, find_prefect, make_folder
from flows.orchestration.up.health import Addresses, Health, make_client
from flows.orchestration.up.interrupted import Interrupted
from flows.orchestration.up.parts import FOLDER, JOBS, PREFECT, SITE, STOP_ORDER, Place, make_parts
from flows.orchestration.up.running import Running, is_there, only_one, wait_for_the_left
from flows.orchestration.up.supervisor import US, Patience, Say, Supervisor
from flows.store.layout import Layout
from flows.store.store import open_store

LEFT_SECONDS = 90
"""So long the parts of an `up` that was killed may take for their end."""

_HANGUP = {signal.SIGHUP: "the end of its terminal"}


@dataclass(frozen=True, slots=True)
class PartHealth:
    """What `up --check` found out about a part, and what is wrong where it is not healthy."""

    name: str
    address: str
    healthy: bool
    problem: str | None


@dataclass(frozen=True, slots=True)
class Found:
    """What `up --check` found out; `process` None means that no `up` runs."""

    healthy: bool
    process: int | None
    parts: list[PartHealth]


def up(config: Config, addresses: Addresses, options: tuple[str, ...], say: Say) -> ExitStatus:
    """Keep the three parts running until a signal; `options` name configuration and data folder.

    Raises `PithError` before anything is started where that could not go well.
    """
    prefect, layout = find_prefect(), layout_of(config)
    folder = folder_of(layout)
    make_folder(folder)
    with only_one(folder):
        _wait_for_the_left(folder, say)
        check_ports(addresses)
        if note := check_database(folder, prefect):
            say(US, note, Tone.WARNING)
        if (other := os.environ.get("PREFECT_API_URL")) and other != addresses.api:
            note = f"PREFECT_API_URL={other} does not count here: the parts use {addresses.api}"
            say(US, note, Tone.WARNING)
        _make_store(layout, lambda line: say(US, line))
        return asyncio.run(_supervise(Place(folder, addresses, options), layout, say))


def check(config: Config) -> Found:
    """Return how the parts of the `up` of this data folder are."""
    folder = folder_of(layout_of(config))
    running = Running.read(folder) if is_there(folder) else None
    if running is None:
        return Found(healthy=False, process=None, parts=[])
    parts = asyncio.run(_ask(running.addresses))
    return Found(all(part.healthy for part in parts), running.pid, parts)


def folder_of(layout: Layout) -> Path:
    """Return where Prefect keeps its things: in the data folder, or where its catalog lies."""
    return layout.root.absolute() / FOLDER


async def _ask(at: Addresses) -> list[PartHealth]:
    async with make_client() as client:
        health = Health(client, at)
        problems = await asyncio.gather(health.prefect(), health.jobs(), health.site())
    named = zip((PREFECT, JOBS, SITE), (at.prefect, at.api, at.site), problems, strict=True)
    return [PartHealth(name, where, problem is None, problem) for name, where, problem in named]


def _wait_for_the_left(folder: Path, say: Say) -> None:
    before = Running.read(folder)
    if not (before and (left := before.left())):
        return
    say(US, f"an 'up' that was killed left {_named(left)}: waiting for their end", Tone.WARNING)
    if left := wait_for_the_left(folder, LEFT_SECONDS):
        pids = " ".join(map(str, left.values()))
        raise StoreError(
            f"an 'up' that was killed left {_named(left)}: end them with 'kill -9 {pids}', then "
            "start again"
        )


def _named(left: dict[str, int]) -> str:
    return ", ".join(f"{name} (process {pid})" for name, pid in left.items())


def _make_store(layout: Layout, say: Callable[[str], None]) -> None:
    """Make the catalog of a new data folder, without which the site has nothing to serve."""
    if not layout.catalog.exists():
        with open_store(layout, job="up", bundle_files=False, say=say):
            pass


async def _supervise(place: Place, layout: Layout, say: Say) -> ExitStatus:
    at = place.addresses
    async with make_client() as client:
        parts = make_parts(place, Health(client, at), Interrupted(client, at.api, layout))

        def note() -> None:
            pids = {name: w.child.pid for name, w in supervisor.watched.items() if w.child}
            with suppress(OSError):  # a full disk is no reason to stop what runs
                Running(os.getpid(), at, pids).write(place.folder)

        supervisor = Supervisor(parts, say, Patience(), note)
        note()
        say(US, f"starting {', '.join(supervisor.watched)} for the data folder {layout.location}")
        stop = asyncio.Event()
        told = _heed(supervisor, stop, say)
        ready = asyncio.create_task(_say_when_ready(supervisor, at, say))
        await supervisor.run(stop, STOP_ORDER)
        ready.cancel()
    say(US, "all has stopped, and nothing is left running")
    return ExitStatus(128 + told[1]) if len(told) > 1 else ExitStatus.DONE


async def _say_when_ready(supervisor: Supervisor, at: Addresses, say: Say) -> None:
    await supervisor.all_healthy()
    say(US, "all three are healthy; Ctrl-C stops them", Tone.GOOD)
    say(US, f"  Prefect's pages  {at.prefect}")
    say(US, f"  Prefect's API    {at.api}")
    say(US, f"  registry's site  {at.site}")


def _heed(supervisor: Supervisor, stop: asyncio.Event, say: Say) -> list[int]:
    """Stop in order at the first signal, kill at the second; return those that came."""
    told: list[int] = []

    def take(number: int, name: str) -> None:
        told.append(number)
        if len(told) == 1:
            say(US, f"stopping because of {name}; once more kills what is still there")
            stop.set()
        else:
            say(US, f"killing what is still there because of {name}")
            supervisor.kill()

    loop = asyncio.get_running_loop()
    for number, name in {**SIGNALS, **_HANGUP}.items():
        if signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, take, number, name)
    return told
