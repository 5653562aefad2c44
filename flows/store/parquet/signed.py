"""What a unit of work signed, counted for the report of its run from the rows that it writes.

By Arrow, which makes one number of all papers of a day, or of a month where there are many days. No
shard is read again, and of three million papers a run holds some ten thousand numbers.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

MOST_DAYS = 100
"""Days of change that are told apart; papers of more are counted by month."""

LONGEST_LAG = 366
"""Days; a longer lag counts as this one, as of a backfill of what is years old."""

ByDay = Counter[tuple[str, date]]
_EPOCH = date(1970, 1, 1)


@dataclass(slots=True)
class Signed:
    """Papers that got a bundle, by archive and day of change on arXiv, and by lag in days.

    `months` has those of units of more than `MOST_DAYS` days, by first days of months; `undated`
    came from where arXiv gives no day.
    """

    days: ByDay = field(default_factory=Counter)
    months: ByDay = field(default_factory=Counter)
    lags: Counter[int] = field(default_factory=Counter)
    undated: int = 0

    def add(self, other: "Signed") -> None:
        """Add what another unit signed."""
        self.days.update(other.days)
        self.months.update(other.months)
        self.lags.update(other.lags)
        self.undated += other.undated


def count_signed(categories: Sequence[str], days: Sequence[date | None], today: date) -> Signed:
    """Return the counts of papers by their primary categories and days of change.

    The lag is from there to `today`; never below 0, for arXiv's clock may be ahead of ours.
    """
    archives = pc.replace_substring_regex(pa.array(categories, pa.string()), r"\..*$", "")
    changed = pa.array(days, pa.date32())
    is_many = pc.count_distinct(changed).as_py() > MOST_DAYS
    ago = pc.subtract((today - _EPOCH).days, changed.drop_null().cast(pa.int32()))
    lags = pc.min_element_wise(pc.max_element_wise(ago, 0), LONGEST_LAG).value_counts()
    if is_many:
        changed = pc.floor_temporal(changed, unit="month")
    groups = pa.table({"archive": archives, "day": changed}).group_by(["archive", "day"])
    counted = groups.aggregate([([], "count_all")]).to_pydict()
    rows = zip(counted["archive"], counted["day"], counted["count_all"], strict=True)
    found: ByDay = Counter({(archive, day): number for archive, day, number in rows if day})
    by_lag = Counter({one["values"]: one["counts"] for one in lags.to_pylist()})
    undated = len(days) - by_lag.total()
    return Signed(*((Counter(), found) if is_many else (found, Counter())), by_lag, undated)
