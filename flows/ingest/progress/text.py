"""The words of a run's progress: a line for logs, and what stands beside a bar."""

from collections.abc import Iterable, Iterator

from flows.common.terminal import sentence
from flows.ingest.progress.value import RunProgress, RunState

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_FEW = 10
"""A rate below that is given with a decimal, or by the minute."""


def one_line(progress: RunProgress) -> str:
    """Return how far a run is, as one line of plain text."""
    numbers = ", ".join([*pieces(progress), *counters(progress)])
    return sentence(": ".join(filter(None, [part_name(progress), numbers])))


def part_name(progress: RunProgress) -> str:
    """Return what is being worked on, and which of the parts that is; empty before the first."""
    if not progress.part or not progress.parts or progress.parts == 1:
        return progress.part
    return f"{progress.part} ({progress.part_number} of {progress.parts})"


def percent(progress: RunProgress) -> str:
    """Return the share that is done, such as `52%`; 100 only where the run is over."""
    if progress.share is None:
        return ""
    about = "~" if progress.is_estimate else ""
    # Something is left while it runs: the list of what arXiv has, or files to sync.
    most = 99 if progress.state is RunState.RUNNING else 100
    return f"{about}{min(int(100 * progress.share), most)}%"


def pieces(progress: RunProgress) -> Iterator[str]:
    """Yield how much is done, the rate, and the time left, as far as they are known; and a wait."""
    yield _done(progress)
    if progress.share is not None and progress.expected is None:
        yield percent(progress)
    if progress.rate:
        yield _rate(progress.rate)
    if progress.seconds_left:
        yield f"{duration(progress.seconds_left)} left"
    if progress.waits_for:
        yield f"waiting for {progress.waits_for}"


def counters(progress: RunProgress) -> Iterator[str]:
    """Yield what became of the papers once there are any; what is rare where there is any."""
    issued = {"new": progress.new_records, "changed": progress.new_snapshots}
    usual = {"reissued": progress.reissued} if progress.noun == "records" else issued
    usual["unchanged"] = progress.unchanged
    rare = {
        "rejects": progress.rejects,
        "withdrawn": progress.withdrawn,
        "not selected": progress.filtered,
    }
    if progress.done:
        yield from (f"{name} {number:,}" for name, number in usual.items())
        yield from (f"{name} {number:,}" for name, number in rare.items() if number)


def duration(seconds: float) -> str:
    """Return a time to wait, in two units at the most: `8 s`, `2 min`, `1 h 05 min`, `3 d 4 h`."""
    whole = round(seconds)
    if whole < _MINUTE:
        return f"{whole} s"
    minutes = round(seconds / _MINUTE)
    if minutes < _MINUTE:
        return f"{minutes} min"
    if whole < _DAY:
        return f"{minutes // _MINUTE} h {minutes % _MINUTE:02} min"
    return f"{whole // _DAY} d {whole % _DAY // _HOUR} h"


def _done(progress: RunProgress) -> str:
    noun = progress.noun
    if progress.expected is None:
        return f"{progress.done:,} {noun[:-1] if progress.done == 1 else noun}"
    about = "~" if progress.is_estimate else ""
    singular = noun[:-1] if progress.expected == 1 else noun
    return f"{progress.done:,} of {about}{progress.expected:,} {singular}"


def _rate(rate: float) -> str:
    if rate >= _FEW:
        return f"{rate:,.0f}/s"
    return f"{rate:.1f}/s" if rate >= 1 else f"{rate * _MINUTE:.1f}/min"


def rows(parts: Iterable[str], width: int, most: int) -> list[str]:
    """Return texts joined by commas in at most so many rows; the last texts are left out first."""
    found: list[str] = []
    for part in parts:
        if found and len(found[-1]) + len(part) + 2 <= width:
            found[-1] += f", {part}"
        elif len(found) < most:
            found.append(part)
        else:
            break
    return found
