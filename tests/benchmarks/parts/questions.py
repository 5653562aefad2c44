"""What is asked of a folder of papers: of the big one and of a small one in turns."""

import json
from collections.abc import Container, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from time import perf_counter

from arxiv_server import ArxivServer, Library
from arxiv_server.papers.library import Version, Work

from benchmarks.parts.runs import Bench, say


@dataclass(frozen=True, slots=True)
class Folder:
    """A data folder that a backfill made of so many papers, and how its series are called."""

    name: str
    data: Path
    snapshot: Path
    papers: int

    def works(self, places: Container[int]) -> list[Work]:
        """Return the papers in these places of the snapshot, as arXiv serves them."""
        with self.snapshot.open("rb") as lines:
            return [_work(line) for place, line in enumerate(lines) if place in places]


@dataclass(frozen=True, slots=True)
class Changes:
    """So many changes a night, evenly among the last papers of a folder.

    None changes twice, so that no night has what another one did.
    """

    name: str
    folder: Folder
    count: int
    among: int

    def works_by_night(self, nights: int) -> list[list[Work]]:
        """Return the papers that change in each night, as they are after it."""
        apart = self.among // self.count
        first = self.folder.papers - self.among
        works = self.folder.works(
            {first + apart * n + night for n in range(self.count) for night in range(nights)}
        )
        changed = [replace(work, authors=f"The authors of {self.name}") for work in works]
        return [changed[night::nights] for night in range(nights)]


def _work(line: bytes) -> Work:
    """Return the paper of a line, of which the server says that it changed today."""
    row = json.loads(line)
    made = (parsedate_to_datetime(version["created"]) for version in row["versions"])
    return Work(
        id=row["id"],
        datestamp=datetime.now(UTC).date(),
        title=row["title"],
        abstract=row["abstract"],
        authors=row["authors"],
        categories=tuple(row["categories"].split()),
        license=row["license"],
        versions=tuple(Version(n, created, 100) for n, created in enumerate(made, 1)),
        submitter=row["submitter"],
        comments=row["comments"],
        journal_ref=row["journal-ref"],
        doi=row["doi"],
        report_no=row["report-no"],
    )


def measure_questions(bench: Bench, folders: Iterable[Folder], rounds: int) -> None:
    """Measure `show`, `status` and the start of a rerun, for a paper in the middle."""
    asked = [(folder, folder.works({folder.papers // 2})[0]) for folder in folders]
    for round_ in range(rounds):
        say(f"questions to each folder, {round_ + 1} of {rounds}")
        for folder, work in asked:
            usage = bench.command("show", work.id, data=folder.data)
            bench.note(f"{folder.name}: show", usage.wall)
            usage = bench.command("status", data=folder.data)
            bench.note(f"{folder.name}: status", usage.wall)
            bench.note(f"{folder.name}: rerun", _seconds_until_asking(bench, folder.data, work))


def _seconds_until_asking(bench: Bench, data: Path, work: Work) -> float:
    """Return the seconds from the start of a rerun to its first request."""
    asked: list[float] = []
    with _serving([work]) as server:
        server.on_request = lambda _: asked.append(perf_counter())
        usage, _ = bench.job(
            "rerun", work.id, data=data, expected=("unchanged", 1), **_settings(server)
        )
    return asked[0] - usage.started


def measure_changes(bench: Bench, changes: Iterable[Changes], nights: int) -> None:
    """Measure nights after which papers have other authors, each kind of changes in turns."""
    served = [(some, some.works_by_night(nights)) for some in changes]
    for night in range(nights):
        for some, works in served:
            say(f"a night of {some.name}, {night + 1} of {nights}")
            with _serving(works[night]) as server:
                usage, _ = bench.job(
                    "nightly",
                    data=some.folder.data,
                    expected=("new_snapshots", some.count),
                    **_settings(server),
                )
            bench.note(some.name, usage.wall)
            bench.note(f"{some.name} CPU", usage.cpu)


def _serving(works: Iterable[Work]) -> ArxivServer:
    return ArxivServer(Library(works), today=datetime.now(UTC).date())


def _settings(server: ArxivServer) -> dict[str, str]:
    """Return the settings of a command that asks the server, without any pace."""
    return {
        "PITH_ARXIV__OAI_URL": server.oai_url,
        "PITH_ARXIV__ATOM_URL": server.atom_url,
        "PITH_ARXIV__PACE_SECONDS": "0",
        "PITH_OUTPUTS__BUNDLE_FILES": "none",
    }
