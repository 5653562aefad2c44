"""The archive behind the server: papers which tests add, revise, re-stamp and remove."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from threading import RLock
from typing import NamedTuple, TypedDict, Unpack

from arxiv_server.services.sets import holds


class Version(NamedTuple):
    """One version of a paper; `size` is in kB, `source_type` is arXiv's letter or None."""

    number: int
    created: datetime
    size: int
    source_type: str | None = None


@dataclass(frozen=True, kw_only=True)
class Work:
    """A paper as arXiv serves it: raw TeX text, of the newest version only."""

    id: str
    datestamp: date
    title: str
    abstract: str
    authors: str
    categories: tuple[str, ...]
    license: str | None
    versions: tuple[Version, ...]
    submitter: str
    comments: str | None = None
    journal_ref: str | None = None
    doi: str | None = None
    report_no: str | None = None

    @property
    def newest(self) -> Version:
        """Return the newest version."""
        return self.versions[-1]


class Changes(TypedDict, total=False):
    """The fields which a new version may change."""

    title: str
    abstract: str
    authors: str
    categories: tuple[str, ...]
    license: str | None
    comments: str | None
    journal_ref: str | None
    doi: str | None
    report_no: str | None


class Library:
    """A mutable collection of works, safe to change from a test while the server answers."""

    def __init__(self, works: Iterable[Work] = ()) -> None:
        """Hold the works given."""
        self._lock = RLock()
        self._works: dict[str, Work] = {}
        self._ordered: list[Work] | None = None
        self.add(*works)

    def __len__(self) -> int:
        """Return the number of papers."""
        return len(self._works)

    def __contains__(self, paper_id: object) -> bool:
        """Tell whether a paper of this id is held."""
        return paper_id in self._works

    def get(self, paper_id: str) -> Work | None:
        """Return a work, or None when the archive has none of this id."""
        return self._works.get(paper_id)

    def works(self) -> list[Work]:
        """Return all works in the order arXiv lists them: by datestamp, then by id."""
        with self._lock:
            if self._ordered is None:
                self._ordered = sorted(
                    self._works.values(), key=lambda work: (work.datestamp, work.id)
                )
            return list(self._ordered)

    def select(self, first: date, last: date, set_spec: str | None = None) -> list[Work]:
        """Return the works stamped from first to last, both included, in listing order."""
        return [
            work
            for work in self.works()
            if first <= work.datestamp <= last
            and (set_spec is None or holds(set_spec, work.categories))
        ]

    def add(self, *works: Work) -> None:
        """Add works, replacing those of the same id."""
        with self._lock:
            self._works.update((work.id, work) for work in works)
            self._ordered = None

    def remove(self, *paper_ids: str) -> None:
        """Remove works without a trace, as arXiv does (it never says `deleted`)."""
        with self._lock:
            for paper_id in paper_ids:
                del self._works[paper_id]
            self._ordered = None

    def restamp(self, paper_ids: Iterable[str], day: date) -> None:
        """Move works to another datestamp, as any change of their metadata does."""
        with self._lock:
            self.add(*(replace(self._works[paper_id], datestamp=day) for paper_id in paper_ids))

    def revise(self, paper_id: str, day: date, **changes: Unpack[Changes]) -> Work:
        """Add a version, submitted the day before its datestamp, and return the new work."""
        with self._lock:
            size = self._works[paper_id].newest.size + 1
            self._add_version(paper_id, day, size, self._works[paper_id].newest.source_type)
            self.add(replace(self._works[paper_id], **changes))
            return self._works[paper_id]

    def withdraw(self, paper_id: str, day: date, comments: str) -> Work:
        """Add arXiv's mark of a withdrawal: a newest version of 0 kB and source type `I`."""
        with self._lock:
            self._add_version(paper_id, day, 0, "I")
            self.add(replace(self._works[paper_id], comments=comments))
            return self._works[paper_id]

    def _add_version(self, paper_id: str, day: date, size: int, source_type: str | None) -> None:
        work = self._works[paper_id]
        created = datetime.combine(day - timedelta(days=1), time(14, 5, 9), UTC)
        version = Version(work.newest.number + 1, created, size, source_type)
        self.add(replace(work, datestamp=day, versions=(*work.versions, version)))
