"""What a benchmark found, the goals beside it, and both as a table and as JSON."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from benchmarks.parts.measure import Usage
from benchmarks.parts.stages import Stage

PLAIN, FILES, AGAIN, OTHER = "no files", "with files", "same file", "same papers"
BIG, SCRIPT = "big", "script"
MIB = 2**20
RUN_HEAD = (
    f"{'run':<12}{'papers':>10}{'wall s':>9}{'CPU s':>9}{'papers/s':>10}"
    f"{'floor us':>10}{'CPU/floor':>11}{'peak MiB':>10}"
)


@dataclass(frozen=True, slots=True)
class Run:
    """A whole process: what it was given, what it took, what its report says of its stages."""

    papers: int
    usage: Usage
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def rate(self) -> float:
        """Papers a second."""
        return self.papers / self.usage.wall

    @property
    def ratio(self) -> float:
        """CPU time per paper to the floor."""
        return self.usage.cpu / self.papers / self.usage.floor


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and what it should be: at most or at least `bound`."""

    name: str
    figure: float
    bound: float
    at_most: bool
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether it is so."""
        return self.figure <= self.bound if self.at_most else self.figure >= self.bound


@dataclass(frozen=True, slots=True)
class Figures:
    """All that was measured; `runs` may be without the big one."""

    machine: dict[str, str | int]
    runs: dict[str, Run]
    stages: dict[str, Stage]

    def goals(self) -> list[Goal]:
        """Return every goal for which there is a figure."""
        return [*self._goals(), *self._goals_of_size()]

    def _goals(self) -> Iterator[Goal]:
        plain, files, other, script = (self.runs[n] for n in (PLAIN, FILES, OTHER, SCRIPT))
        oai = 1 / self.stages["OAI pages to papers"].seconds
        changed = self.stages["changed papers"].seconds * 1e3
        yield Goal("CPU per paper / floor, no files", plain.ratio, 3.0, at_most=True)
        yield Goal("papers/s, no files", plain.rate, 8000, at_most=False)
        yield Goal("papers/s, with files", files.rate, 5000, at_most=False)
        yield Goal("with files / obvious script", files.rate / script.rate, 5, at_most=False)
        yield Goal("unchanged run / first run", other.rate / plain.rate, 3, at_most=False)
        yield Goal("OAI records/s, one core", oai, 20_000, at_most=False)
        yield Goal("CPU of a changed paper", changed, 2, at_most=True, unit=" ms")

    def _goals_of_size(self) -> Iterator[Goal]:
        big, plain = self.runs.get(BIG), self.runs[PLAIN]
        if big is None:
            return
        # At ten times the papers this allows five per cent more time per paper.
        longer = 1.05 * big.papers / plain.papers
        took = big.usage.wall / plain.usage.wall
        yield Goal("time of the big run / no files", took, longer, at_most=True)
        peak, less = big.usage.peak_bytes, plain.usage.peak_bytes
        if peak and less:
            yield Goal("peak memory, big run", peak / MIB, 1024, at_most=True, unit=" MiB")
            yield Goal("peak memory, big / no files", peak / less, 1.15, at_most=True)

    def values(self) -> dict[str, Any]:
        """Return everything as JSON values."""
        return {
            "machine": self.machine,
            "runs": {name: _run_values(run) for name, run in self.runs.items()},
            "stages": {
                name: {
                    "microseconds": stage.seconds * 1e6,
                    "to_floor": stage.seconds / stage.floor,
                    "floor_microseconds": stage.floor * 1e6,
                }
                for name, stage in self.stages.items()
            },
            "goals": [
                {
                    "name": goal.name,
                    "figure": goal.figure,
                    "goal": f"{'<=' if goal.at_most else '>='} {goal.bound:g}",
                    "met": goal.met,
                }
                for goal in self.goals()
            ],
        }

    def table(self) -> str:
        """Return everything as a person reads it."""
        facts = self.machine
        where = f"{facts['cpus']} cores of {facts['processor']}, Python {facts['python']}"
        return "\n".join(
            [
                f"{where}, {facts['platform']}",
                "",
                RUN_HEAD,
                *(_run_line(name, run) for name, run in self.runs.items()),
                *(_stages_line(name, run) for name, run in self.runs.items() if run.seconds),
                "",
                f"{'stage alone, one core':<24}{'us/paper':>10}{'papers/s':>10}{'/floor':>9}",
                *(_stage_line(name, stage) for name, stage in self.stages.items()),
                "",
                f"{'goal':<34}{'is':>12}{'should be':>14}",
                *(_goal_line(goal) for goal in self.goals()),
            ]
        )


def _run_values(run: Run) -> dict[str, Any]:
    return {
        "papers": run.papers,
        "wall_seconds": run.usage.wall,
        "cpu_seconds": run.usage.cpu,
        "papers_per_second": run.rate,
        "floor_microseconds": run.usage.floor * 1e6,
        "cpu_to_floor": run.ratio,
        "peak_bytes": run.usage.peak_bytes,
        "stage_seconds": run.seconds,
    }


def _run_line(name: str, run: Run) -> str:
    usage = run.usage
    peak = "no /proc" if usage.peak_bytes is None else f"{usage.peak_bytes / MIB:.0f}"
    return (
        f"{name:<12}{run.papers:>10,}{usage.wall:>9.1f}{usage.cpu:>9.1f}{run.rate:>10,.0f}"
        f"{usage.floor * 1e6:>10.1f}{run.ratio:>11.2f}{peak:>10}"
    )


def _stages_line(name: str, run: Run) -> str:
    spent = ", ".join(f"{stage} {seconds:.1f}" for stage, seconds in run.seconds.items())
    return f"  {name}, seconds by its report: {spent}"


def _stage_line(name: str, stage: Stage) -> str:
    return (
        f"{name:<24}{stage.seconds * 1e6:>10.1f}{1 / stage.seconds:>10,.0f}"
        f"{stage.seconds / stage.floor:>9.2f}"
    )


def _goal_line(goal: Goal) -> str:
    sign = "<=" if goal.at_most else ">="
    digits = ",.2f" if goal.bound < 100 else ",.0f"
    figure, bound = f"{goal.figure:{digits}}{goal.unit}", f"{sign} {goal.bound:,g}{goal.unit}"
    return f"{goal.name:<34}{figure:>12}{bound:>14}  {'ok' if goal.met else 'MISSED'}"
