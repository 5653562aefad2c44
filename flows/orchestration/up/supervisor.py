"""Keeps parts running: starts them in order, restarts what dies or hangs, stops them in order."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from time import monotonic
from typing import Any, Protocol

from flows.common.terminal import Tone
from flows.orchestration.up.health import EVER
from flows.orchestration.up.parts import Part
from flows.orchestration.up.process import Child

US = "up"


class Say(Protocol):
    """Takes the name of a part, or `US`, one line of it, and what that means."""

    def __call__(self, name: str, line: str, tone: Tone = Tone.PLAIN) -> None:
        """Show the line."""


class State(StrEnum):
    """What `up` knows of a part."""

    WAITING = "waiting"
    STARTED = "started"
    HEALTHY = "healthy"
    UNHEALTHY = "not healthy"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long is waited for what, in seconds."""

    between: float = 5.0
    between_first: float = 0.5
    to_start: float = 300.0
    unhealthy: float = 60.0
    away: float = 12.0
    """So long what a part needs may be away before the part is started again when it is back.

    Prefect's runner stops listening for *Cancel* after three questions without an answer, which it
    asks seven seconds apart at least.
    """

    first_delay: float = 1.0
    longest_delay: float = 60.0
    settled: float = 60.0
    """So long a part must have been well for its next end to count as the first one."""


@dataclass(slots=True)
class Watched:
    """A part under way."""

    part: Part
    state: State = State.WAITING
    child: Child | None = None
    delay: float = 0.0
    """How long was waited before the last start; 0 where it was well for long since."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    left: float = 0.0
    """When it was healthy for the last time before `back`."""

    back: float = 0.0
    """Since when it is healthy, or was."""


class Supervisor:
    """Runs parts until `stop`; `on_change` is called whenever a part's state or process is new."""

    def __init__(
        self,
        parts: Sequence[Part],
        say: Say,
        patience: Patience,
        on_change: Callable[[], None],
    ) -> None:
        """Take the parts in the order in which they start."""
        self.watched = {part.name: Watched(part) for part in parts}
        self._say, self._patience, self._on_change = say, patience, on_change
        self._changed = asyncio.Condition()

    async def run(self, stop: asyncio.Event, stop_order: Sequence[str]) -> None:
        """Keep all parts running until `stop` is set, then stop them one after the other."""
        tasks = {name: asyncio.create_task(self._keep(w)) for name, w in self.watched.items()}
        # A task that ends before that is a fault of ours, which is raised when all is stopped.
        await _first(stop.wait(), *tasks.values())
        for name in stop_order:
            self.watched[name].stop.set()
            await asyncio.wait([tasks[name]])
        for task in tasks.values():
            task.result()

    def kill(self) -> None:
        """Kill all parts at once."""
        for watched in self.watched.values():
            watched.stop.set()
            if watched.child:
                watched.child.kill()

    async def all_healthy(self) -> None:
        """Wait until all parts are well at one time."""
        await self._until(lambda: all(w.state == State.HEALTHY for w in self.watched.values()))

    async def _keep(self, watched: Watched) -> None:
        """Start a part again and again, until it is to stop."""
        name, patience = watched.part.name, self._patience
        while await self._is_wanted(watched):
            ended = await self._run_once(watched)
            watched.child = None
            if watched.stop.is_set():
                break
            doubled = min(2 * watched.delay, patience.longest_delay)
            watched.delay = doubled or patience.first_delay
            self._say(US, f"{name} {ended}; it starts again in {watched.delay:g} s", Tone.BAD)
            await self._set(watched, State.WAITING)
            await _first(watched.stop.wait(), asyncio.sleep(watched.delay))
        await self._set(watched, State.STOPPED)

    async def _is_wanted(self, watched: Watched) -> bool:
        """Wait for what a part needs; return False once it is to stop."""
        if not self._has_what_it_needs(watched):
            self._say(US, f"{watched.part.name} waits until {watched.part.needs} is healthy")
            await _first(watched.stop.wait(), self._until(lambda: self._has_what_it_needs(watched)))
        return not watched.stop.is_set()

    def _has_what_it_needs(self, watched: Watched) -> bool:
        needs = watched.part.needs
        return needs is None or self.watched[needs].state == State.HEALTHY

    def _was_without_what_it_needs(self, watched: Watched, began: float) -> bool:
        """Return whether what a part needs is back after so long that the part may not know."""
        if watched.part.needs is None or not self._has_what_it_needs(watched):
            return False
        needs = self.watched[watched.part.needs]
        return needs.back > began and needs.back - needs.left > self._patience.away

    async def _misses_what_it_needs(self, watched: Watched) -> bool:
        """Ask what a part needs whether it is well, for its own watch may not know yet."""
        if not self._has_what_it_needs(watched):
            return True
        needs = watched.part.needs
        return needs is not None and await self.watched[needs].part.problem(EVER) is not None

    async def _run_once(self, watched: Watched) -> str:
        """Start a part, and return why it ended: by itself, or as it was to be stopped."""
        part = watched.part
        for line in await part.before() if part.before else ():
            self._say(US, line, Tone.WARNING)
        started = datetime.now(UTC)
        try:
            child = await Child.start(part.words, part.environment)
        except OSError as error:  # no memory, no more processes: it may pass
            return f"could not be started ({error.strerror})"
        watched.child = child
        self._say(US, f"{part.name} is started (process {child.pid})")
        await self._set(watched, State.STARTED)
        ended = asyncio.create_task(child.wait())
        watching = asyncio.create_task(self._watch(watched, child, started))
        await _first(ended, watched.stop.wait(), watching)
        if not watching.done():
            watching.cancel()
        if ended.done() and not watched.stop.is_set():
            child.show(self._sayer(part.name), held=True)
            return f"has ended ({ended.result()})"
        if watched.stop.is_set():
            return await self._stop(watched, child, ended)
        child.show(self._sayer(part.name), held=True)
        why = watching.result()
        await self._end(part, child, ended)
        return why

    async def _stop(self, watched: Watched, child: Child, ended: "asyncio.Task[str]") -> str:
        name, seconds = watched.part.name, watched.part.stop_seconds
        self._say(US, f"stopping {name}, which may take {seconds:g} s")
        child.show(self._sayer(name), held=False)
        how = await self._end(watched.part, child, ended)
        for line in await watched.part.before() if watched.part.before else ():
            self._say(US, line, Tone.WARNING)
        was_killed = "SIGKILL" in how
        self._say(
            US,
            f"{name} was killed" if was_killed else f"{name} has stopped",
            Tone.BAD if was_killed else Tone.PLAIN,
        )
        return how

    async def _end(self, part: Part, child: Child, ended: "asyncio.Task[str]") -> str:
        if part.stopping:
            await part.stopping()
        await child.stop(part.stop_seconds, children_first=part.children_first)
        return await ended

    def _sayer(self, name: str) -> Callable[[str], None]:
        return lambda line: self._say(name, line)

    async def _watch(self, watched: Watched, child: Child, started: datetime) -> str:
        """Look after a process; return why it is to be stopped once that is so."""
        patience, part = self._patience, watched.part
        began = well = monotonic()
        since: float | None = None
        while True:
            problem = await part.problem(started)
            now = monotonic()
            if self._was_without_what_it_needs(watched, began):
                return f"was stopped, for it may have given up {part.needs}, which was away"
            if problem is None:
                if watched.state != State.HEALTHY:
                    took = (
                        f"after {now - began:.1f} s" if watched.state == State.STARTED else "again"
                    )
                    self._say(US, f"{part.name} is healthy {took}: {part.about}", Tone.GOOD)
                    child.show(self._sayer(part.name), held=False)
                    since = now
                    await self._set(watched, State.HEALTHY)
                elif since is not None and now - since > patience.settled:
                    watched.delay = 0
                well = now
            elif await self._misses_what_it_needs(watched):
                well = now  # whose fault it is shows once that is there again
            elif watched.state == State.HEALTHY:
                self._say(US, f"{part.name} is not healthy: {problem}", Tone.WARNING)
                await self._set(watched, State.UNHEALTHY)
                well = now  # nobody may have asked for long, on a busy machine
            elif now - well > (patience.unhealthy if since is not None else patience.to_start):
                return f"was not healthy for too long and was stopped ({problem})"
            is_new = watched.state == State.STARTED
            await asyncio.sleep(patience.between_first if is_new else patience.between)

    async def _set(self, watched: Watched, state: State) -> None:
        async with self._changed:
            if watched.state == State.HEALTHY:
                watched.left = monotonic()
            if state == State.HEALTHY:
                watched.back = monotonic()
            watched.state = state
            self._on_change()
            self._changed.notify_all()

    async def _until(self, what: Callable[[], bool]) -> None:
        async with self._changed:
            await self._changed.wait_for(what)


async def _first(*waiting: "Coroutine[Any, Any, object] | asyncio.Task[Any]") -> None:
    """Wait until one of several is done; what was no task before is given up then."""
    tasks = [w if isinstance(w, asyncio.Task) else asyncio.create_task(w) for w in waiting]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task, given in zip(tasks, waiting, strict=True):
        if task is not given:
            task.cancel()
