"""Parts that die, hang, come up late or do not end: what `up` does with each, in real processes."""

import asyncio
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

import pytest
from support.paths import ROOT, TESTS
from support.registry.running_up import in_session

from flows.common.terminal import Tone
from flows.orchestration.up.parts import Part
from flows.orchestration.up.supervisor import Patience, Supervisor

pytestmark = pytest.mark.process

QUICK = Patience(
    between=0.02, between_first=0.02, to_start=60, unhealthy=0.1, first_delay=0.05,
    longest_delay=0.4, settled=0.2,
)  # fmt: skip
LONGEST = 60


@dataclass
class Scene:
    """Parts of a folder under a supervisor, and what was said of them."""

    folder: Path
    said: list[tuple[str, str]] = field(default_factory=list)
    problems: dict[str, str] = field(default_factory=dict)
    supervisor: Supervisor = field(init=False)
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, name: str, line: str, tone: Tone = Tone.PLAIN) -> None:
        assert isinstance(tone, Tone)
        self.said.append((name, line))

    def part(self, name: str, *how: str, needs: str | None = None) -> Part:
        async def problem(_: datetime) -> str | None:
            child = self.supervisor.watched[name].child
            is_ready = child and (self.folder / f"{child.pid}.ready").exists()
            return self.problems.get(name) or (None if is_ready else "is not ready")

        return Part(
            name,
            ("support.registry.fake_part", str(self.folder), *how),
            os.environ | {"PYTHONPATH": f"{ROOT}:{TESTS}"},
            problem,
            about="here",
            stop_seconds=10,
            needs=needs,
        )

    def pid(self, name: str) -> int:
        child = self.supervisor.watched[name].child
        assert child
        return child.pid

    def count(self, pattern: str) -> int:
        return sum(bool(re.search(pattern, f"{name}: {line}")) for name, line in self.said)

    async def until(self, what: Callable[[], object]) -> None:
        async with asyncio.timeout(LONGEST):
            while not what():  # noqa: ASYNC110 - files and lists tell of no change
                await asyncio.sleep(0.01)

    async def says(self, pattern: str, times: int = 1) -> None:
        try:
            await self.until(lambda: self.count(pattern) >= times)
        except TimeoutError:
            pytest.fail(f"never said: {pattern}\n{self.said}")


@asynccontextmanager
async def scene(
    folder: Path, make: Callable[[Scene], list[Part]], patience: Patience = QUICK
) -> AsyncIterator[Scene]:
    """Run the parts until the block is done, and then stop them from the last to the first."""
    shown = Scene(folder)
    parts = make(shown)
    shown.supervisor = Supervisor(parts, shown.hear, patience, lambda: None)
    order = [part.name for part in reversed(parts)]
    running = asyncio.create_task(shown.supervisor.run(shown.stop, order))
    try:
        yield shown
    finally:
        shown.stop.set()
        try:
            await asyncio.wait_for(running, LONGEST)
        finally:
            shown.supervisor.kill()


def test_what_is_killed_starts_again_with_all_that_it_had_started(tmp_path: Path) -> None:
    async def play() -> None:
        async with scene(tmp_path, lambda s: [s.part("a", "with a child")]) as shown:
            for times in range(1, 4):
                await shown.says("up: a is healthy", times)
                session = shown.pid("a")
                assert len(in_session(session)) == 2
                os.kill(session, signal.SIGKILL)
                await shown.says(r"up: a has ended \(killed by SIGKILL\)", times)
                assert in_session(session) == []
            await shown.says("up: a is healthy", 4)
        assert shown.said[-1] == ("up", "a has stopped")

    asyncio.run(play())


def test_what_ends_at_its_start_is_tried_ever_more_seldom_and_its_words_are_shown(
    tmp_path: Path,
) -> None:
    async def play() -> None:
        async with scene(tmp_path, lambda s: [s.part("a", "ends")]) as shown:
            await shown.says("starts again in 0.4 s", 2)
        delays = re.findall(r"again in ([\d.]+) s", str(shown.said))
        assert delays[:5] == ["0.05", "0.1", "0.2", "0.4", "0.4"]
        lines = [line for name, line in shown.said if name == "a"]
        assert lines[:3] == [
            "a line at the start", r"\x1b[2Jwhat is wrong\u202e", "and no end of line",
        ]  # fmt: skip
        assert shown.count(r"has ended \(status 3\)") >= 5

    asyncio.run(play())


def test_after_a_while_in_health_the_first_wait_is_short_again(tmp_path: Path) -> None:
    async def play() -> None:
        async with scene(tmp_path, lambda s: [s.part("a")]) as shown:
            watched = shown.supervisor.watched["a"]
            for times in (1, 2):
                await shown.says("is healthy", times)
                os.kill(shown.pid("a"), signal.SIGKILL)
                await shown.says("has ended", times)
            await shown.says("is healthy", 3)
            assert watched.delay > QUICK.first_delay
            await shown.until(lambda: watched.delay == 0)
            os.kill(shown.pid("a"), signal.SIGKILL)
            await shown.says("has ended", 3)
        assert re.findall(r"again in ([\d.]+) s", str(shown.said)) == ["0.05", "0.1", "0.05"]

    asyncio.run(play())


def test_what_is_alive_but_not_healthy_for_long_is_started_again(tmp_path: Path) -> None:
    # Who asks so seldom hears of it late, as a busy machine does: that counts from then on.
    late = replace(QUICK, between=2 * QUICK.unhealthy)

    async def play() -> None:
        async with scene(tmp_path, lambda s: [s.part("a")], late) as shown:
            await shown.says("is healthy after")
            hung = shown.pid("a")
            shown.problems["a"] = "no answer"
            await shown.says("up: a is not healthy: no answer")
            await shown.says(r"not healthy for too long and was stopped \(no answer\)")
            shown.problems.clear()
            await shown.says("is healthy after", 2)
            assert shown.pid("a") != hung
            assert in_session(hung) == []

    asyncio.run(play())


def test_what_answers_again_in_time_goes_on(tmp_path: Path) -> None:
    patient = replace(QUICK, unhealthy=LONGEST)

    async def play() -> None:
        async with scene(tmp_path, lambda s: [s.part("a")], patient) as shown:
            await shown.says("is healthy after")
            pid = shown.pid("a")
            shown.problems["a"] = "no answer"
            await shown.says("is not healthy")
            shown.problems.clear()
            await shown.says("is healthy again")
            assert shown.pid("a") == pid

    asyncio.run(play())


def test_who_needs_another_waits_for_it_and_is_not_blamed_for_it(tmp_path: Path) -> None:
    async def play() -> None:
        def make(s: Scene) -> list[Part]:
            return [s.part("a"), s.part("b", needs="a")]

        async with scene(tmp_path, make) as shown:
            shown.problems |= {"a": "not yet"}
            await shown.says("up: b waits until a is healthy")
            await shown.says("up: a is started")
            assert shown.count("up: b is started") == 0
            shown.problems.clear()
            await shown.says("up: b is healthy")
            pid = shown.pid("b")
            shown.problems |= {"a": "is gone", "b": "hears nothing of a"}
            await shown.says("up: a was not healthy for too long")
            assert shown.pid("b") == pid
            shown.problems.clear()
            await shown.says("up: a is healthy", 2)
        assert shown.count("up: b is not healthy") == 0
        stopped = [line for _, line in shown.said if line.endswith(" has stopped")]
        assert stopped == ["b has stopped", "a has stopped"]

    asyncio.run(play())


def test_who_may_have_given_up_what_it_needs_is_started_again(tmp_path: Path) -> None:
    async def play() -> None:
        def make(s: Scene) -> list[Part]:
            return [s.part("a"), s.part("b", needs="a")]

        async with scene(tmp_path, make, replace(QUICK, unhealthy=LONGEST, away=0.1)) as shown:
            await shown.says("up: b is healthy")
            pid = shown.pid("b")
            shown.problems["a"] = "no answer"
            await shown.says("up: a is not healthy")
            await asyncio.sleep(2 * 0.1)  # so long it must be away
            assert shown.count("up: b was stopped") == 0
            shown.problems.clear()
            await shown.says("up: b was stopped, for it may have given up a, which was away")
            await shown.says("up: b is healthy", 2)
            assert shown.pid("b") != pid

    asyncio.run(play())


def test_what_does_not_end_is_killed_and_lines_have_an_end(tmp_path: Path) -> None:
    async def play() -> None:
        def make(s: Scene) -> list[Part]:
            return [replace(s.part("a", "deaf", "loud", "with a child"), stop_seconds=0.1)]

        async with scene(tmp_path, make) as shown:
            shown.problems["a"] = "so that what it says is shown at its end"
            await shown.until(lambda: list(tmp_path.glob("*.ready")))
            session = shown.pid("a")
            os.kill(session, signal.SIGKILL)
            await shown.says("has ended")
            shown.problems.clear()
            await shown.says("is healthy")
            session = shown.pid("a")
        assert in_session(session) == []
        assert shown.said[-1] == ("up", "a was killed")
        lines = [line for name, line in shown.said if name == "a"]
        assert lines[-2:] == ["ValueError: the error", "a line behind it"]
        assert max(map(len, lines)) < 5000

    asyncio.run(play())


def test_a_second_signal_does_not_wait(tmp_path: Path) -> None:
    async def play() -> None:
        async with scene(tmp_path, lambda s: [s.part("a", "deaf"), s.part("b")]) as shown:
            await shown.says("is healthy", 2)
            sessions = [shown.pid("a"), shown.pid("b")]
            shown.stop.set()
            await shown.says("stopping b")
            shown.supervisor.kill()
        assert [in_session(session) for session in sessions] == [[], []]

    asyncio.run(play())


ALONE = """
import asyncio, sys
from pathlib import Path
sys.path[:0] = {paths!r}
from flows.orchestration.up.process import Child
async def main():
    child = await Child.start(
        ["support.registry.fake_part", {folder!r}, *{how!r}], {{"PYTHONPATH": {path!r}}})
    print(child.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""


@pytest.mark.parametrize("how", [["with a child"], ["with a child", "deaf"]], ids=str)
def test_no_part_outlives_who_started_it(tmp_path: Path, how: list[str]) -> None:
    async def play() -> None:
        paths = [str(ROOT), str(TESTS)]
        script = ALONE.format(paths=paths, folder=str(tmp_path), how=how, path=":".join(paths))
        starter = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, stdout=asyncio.subprocess.PIPE
        )
        assert starter.stdout
        session = int(await starter.stdout.readline())
        shown = Scene(tmp_path)
        await shown.until(lambda: list(tmp_path.glob("*.ready")))
        starter.kill()
        await starter.wait()
        await shown.until(lambda: not in_session(session))

    asyncio.run(play())
