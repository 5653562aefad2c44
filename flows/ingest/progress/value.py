"""The progress of a run as one value, which terminal, log, `run.json` and Prefect all show."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class RunState(StrEnum):
    """Whether a run goes on, and how it ended."""

    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run has come at one moment.

    Attributes:
        run: The name of the run, which is that of its folder in `runs/`.
        job: `backfill`, `nightly` or `rerun`.
        started_at: When the run began, UTC.
        updated_at: When this was so, UTC.
        state: Whether the run goes on.
        reason: Why it was stopped or failed, a sentence.
        part: What is being worked on, such as `cs.LG, 2026-11-14 to now` or a file's name.
        part_number: Which of the parts that is, from 1; 0 before the first.
        parts: How many parts there are, where that is known.
        noun: What is counted: `papers`, `records`, or `lines` of a file of which few are taken.
        done: How many of these are done, those that an earlier run did included.
        expected: How many there are in all; None where nobody knows.
        is_estimate: Whether `expected` is reckoned, not known.
        share: What part of all is done, 0 to 1: of `expected`, or of the bytes to read.
        rate: How many came a second, in the last minute.
        waits_for: What keeps the next papers from counting for some seconds, such as the writing of
            bundle files; empty where they come.
        seconds_left: How long the rest takes at that rate, and no faster than arXiv's pace.
    """

    run: str
    job: str
    started_at: datetime
    updated_at: datetime
    state: RunState = RunState.RUNNING
    reason: str | None = None
    part: str = ""
    part_number: int = 0
    parts: int | None = None
    noun: str = "papers"
    done: int = 0
    expected: int | None = None
    is_estimate: bool = False
    share: float | None = None
    rate: float = 0.0
    seconds_left: float | None = None
    waits_for: str = ""
    new_records: int = 0
    new_snapshots: int = 0
    unchanged: int = 0
    reissued: int = 0
    withdrawn: int = 0
    filtered: int = 0
    rejects: int = 0
