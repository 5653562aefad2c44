"""What a run signed, by the day on which arXiv changed it: what its report's plots are made of."""

from dataclasses import dataclass, field
from typing import Literal

from flows.store.parquet.signed import MOST_DAYS, Signed


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


def make_activity(signed: Signed) -> Activity:
    """Return what a report says of the papers that a run signed."""
    is_many = bool(signed.months) or len({day for _, day in signed.days}) > MOST_DAYS
    papers: dict[str, dict[str, int]] = {}
    for counts in (signed.days, signed.months):
        for (archive, day), number in counts.items():
            archives = papers.setdefault(str(day.replace(day=1) if is_many else day), {})
            archives[archive] = archives.get(archive, 0) + number
    return Activity(
        "month" if is_many else "day",
        dict(sorted(papers.items())),
        dict(sorted(signed.lags.items())),
        signed.undated,
    )
