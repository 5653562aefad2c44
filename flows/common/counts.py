"""Counts of what became of the papers of some units of work, and the words for them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import Tone

NUMBERS = (
    "papers", "new_records", "new_snapshots", "unchanged", "reissued", "withdrawn", "rejects",
    "filtered", "lines", "blank",
)  # fmt: skip

_STORED_FILTERED = "passed_over"
"""What `filtered` is called in catalogs, from before it had its name."""


def counted(number: int, nouns: str, one: str | None = None) -> str:
    """Return a number with its noun, given in the plural: `1 reply`, `1,234 papers`.

    `one` is what stands beside 1 where that is more than the noun, such as `record begins`.
    """
    return f"{number:,} {(one or _singular(nouns)) if number == 1 else nouns}"


def _singular(nouns: str) -> str:
    if nouns.endswith("ies"):
        return f"{nouns[:-3]}y"
    return nouns[:-2] if nouns.endswith("xes") else nouns[:-1]


def outcome(status: ExitStatus, *, rejects: int, failures: int, incomplete: int) -> str:
    """Return how a run ended, in a few words: `done`, or `done, 1 reject`."""
    if status is ExitStatus.UNREACHABLE:
        return "incomplete, arXiv could not be reached"
    if status is ExitStatus.UNUSABLE:
        return "incomplete, its input could not be read on"
    named = [f"{counted(incomplete, 'windows')} to finish"] if incomplete else []
    numbers = {"rejects": rejects, "unusable inputs": failures}
    named += [counted(number, nouns) for nouns, number in numbers.items() if number]
    if status is ExitStatus.PROBLEMS and not named:
        named = ["lines not accounted for"]
        incomplete = 1
    return ", ".join(["incomplete" if incomplete else "done", *named])


def tone_of(status: ExitStatus, *, incomplete: bool) -> Tone:
    """Return what an outcome means: good, to be looked at, or not done."""
    if status is ExitStatus.DONE:
        return Tone.GOOD
    return Tone.BAD if incomplete or status is not ExitStatus.PROBLEMS else Tone.WARNING


@dataclass(slots=True)
class Counts:
    """Counts of what became of the papers of some units of work.

    `rejects` counts each time that one came; its bytes are kept once. `filtered` were not
    selected. `lines` are those of Kaggle's file, each a paper, a reject, filtered or `blank`.
    """

    papers: int = 0
    new_records: int = 0
    new_snapshots: int = 0
    unchanged: int = 0
    reissued: int = 0
    withdrawn: int = 0
    rejects: int = 0
    filtered: int = 0
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
            filtered=self.filtered,
            lines=self.lines,
            blank=self.blank,
            by_category=self.by_category,
            by_reason=self.by_reason,
        )

    def to_stored(self) -> dict[str, Any]:
        """Return these counts as a catalog keeps them, for JSON."""
        stored = asdict(self)
        stored[_STORED_FILTERED] = stored.pop("filtered")
        return stored

    @classmethod
    def from_stored(cls, stored: Mapping[str, Any]) -> "Counts":
        """Return what `to_stored` made a value of."""
        known = dict(stored)
        return cls(filtered=known.pop(_STORED_FILTERED, 0), **known)
