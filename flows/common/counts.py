"""Counts of what became of the papers of some units of work."""

from dataclasses import dataclass, field

NUMBERS = (
    "papers", "new_records", "new_snapshots", "unchanged", "reissued", "withdrawn", "rejects",
    "passed_over", "lines", "blank",
)  # fmt: skip


@dataclass(slots=True)
class Counts:
    """Counts of what became of the papers of some units of work.

    `rejects` counts each time that one came; its bytes are kept once. `passed_over` were not
    selected. `lines` are those of a snapshot, each a paper, a reject, passed over or `blank`.
    """

    papers: int = 0
    new_records: int = 0
    new_snapshots: int = 0
    unchanged: int = 0
    reissued: int = 0
    withdrawn: int = 0
    rejects: int = 0
    passed_over: int = 0
    lines: int = 0
    blank: int = 0
    by_category: dict[str, int] = field(default_factory=dict)
    by_reason: dict[str, int] = field(default_factory=dict)

    def add(self, other: "Counts") -> None:
        """Add another unit's counts to these."""
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for mine, theirs in (
            (self.by_category, other.by_category),
            (self.by_reason, other.by_reason),
        ):
            for name, number in theirs.items():
                mine[name] = mine.get(name, 0) + number

    def seen_again(self) -> "Counts":
        """Return what the same papers and rejects count when nothing of them is new."""
        return Counts(
            papers=self.papers,
            unchanged=self.papers,
            withdrawn=self.withdrawn,
            rejects=self.rejects,
            passed_over=self.passed_over,
            lines=self.lines,
            blank=self.blank,
            by_category=self.by_category,
            by_reason=self.by_reason,
        )
