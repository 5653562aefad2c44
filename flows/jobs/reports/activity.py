"""What a run signed, by the day on which arXiv changed it: what its report's plots are made of."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from flows.ingest.prepare import Signed

MOST_DAYS = 100
"""Days of change that a report tells apart; papers of more are counted by month."""

LONGEST_LAG = 366
"""Days; a longer lag counts as this one, as of a backfill of what is years old."""


@dataclass(frozen=True, slots=True)
class Activity:
    """The papers that a run signed; `undated` ones came from where arXiv gives no day of change.

    `papers` has days as `2026-11-20`, or first days of months where `step` is `month`, and by them
    the papers of each archive. `lag_days` counts papers by the days from that change to our
    signature, both UTC.
    """

    step: Literal["day", "month"] = "day"
    papers: dict[str, dict[str, int]] = field(default_factory=dict)
    lag_days: dict[int, int] = field(default_factory=dict)
    undated: int = 0


def count_activity(signed: Mapping[Signed, int]) -> Activity:
    """Return what a report says of the papers that a run signed."""
    days = {day for _, day, _ in signed if day}
    step: Literal["day", "month"] = "month" if len(days) > MOST_DAYS else "day"
    papers: dict[str, dict[str, int]] = {}
    lags: Counter[int] = Counter()
    undated = 0
    for (archive, day, today), number in signed.items():
        if day is None:
            undated += number
            continue
        # arXiv's day may have begun before ours where a clock is a little behind.
        lags[min(max((today - day).days, 0), LONGEST_LAG)] += number
        archives = papers.setdefault(str(day.replace(day=1) if step == "month" else day), {})
        archives[archive] = archives.get(archive, 0) + number
    return Activity(step, dict(sorted(papers.items())), dict(sorted(lags.items())), undated)
