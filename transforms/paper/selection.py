"""The choice of a source's papers: by category, by day, and each id once."""

from dataclasses import dataclass, field
from datetime import date

from transforms.paper.paper import Paper


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter by category and by the day of the last change; without bounds it takes all.

    `categories` names categories (`math.NT`, `hep-th`) and archives (`math`, `astro-ph`), which
    stand for all their subject classes. `first` and `until` are inclusive.
    """

    categories: frozenset[str] = frozenset()
    first: date | None = None
    until: date | None = None

    def matches(self, paper: Paper) -> bool:
        """Return whether any category of `paper`, primary or not, and its datestamp are within.

        A paper without a datestamp is within no bounds.
        """
        return self._has_category(paper.categories) and self._has_day(paper.datestamp)

    def _has_category(self, categories: tuple[str, ...]) -> bool:
        wanted = self.categories
        return not wanted or any(
            category in wanted or category.partition(".")[0] in wanted for category in categories
        )

    def _has_day(self, day: date | None) -> bool:
        if self.first is None and self.until is None:
            return True
        if day is None:
            return False
        return (self.first or date.min) <= day <= (self.until or date.max)


@dataclass(slots=True)
class SeenIds:
    """The arXiv ids of one source so far, a bit each: all of arXiv takes a few megabytes."""

    blocks: dict[str, int] = field(default_factory=dict)

    def add(self, arxiv_id: str) -> bool:
        """Add a `Paper`'s id and return whether it is new.

        All of arXiv's forms end in digits: the last three number a bit of the block that the rest
        names.
        """
        block, bit = arxiv_id[:-3], 1 << int(arxiv_id[-3:])
        seen = self.blocks.get(block, 0)
        self.blocks[block] = seen | bit
        return not seen & bit

    def update(self, others: "SeenIds") -> None:
        """Add all ids of another source."""
        for block, bits in others.blocks.items():
            self.blocks[block] = self.blocks.get(block, 0) | bits

    def common(self, others: "SeenIds") -> "SeenIds":
        """Return the ids that both have seen."""
        both = {block: bits & self.blocks.get(block, 0) for block, bits in others.blocks.items()}
        return SeenIds({block: bits for block, bits in both.items() if bits})

    def __bool__(self) -> bool:
        """Return whether any id was seen."""
        return bool(self.blocks)
