"""Units of work: what one process reads and prepares by itself, whichever process that is."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from flows.common.counts import Counts
from flows.common.process.stopwatch import Stopwatch
from flows.ingest.commit import prepare_page
from flows.ingest.prepare import Desk, Prepared, prepare
from flows.sources.kaggle.lines import Part, Span, read_part, read_span, reject_repeated
from flows.store.files.local import writing
from flows.store.files.raw_replies import UnreadableReplyError, keep_reply, read_reply
from transforms.paper.selection import SeenIds, Selection
from transforms.parsing.arxiv_xml import parse_page
from transforms.parsing.oai_xml import MAX_PAGE_BYTES, OaiError, PageError


@dataclass(slots=True)
class Outcome:
    """The summary of a unit: its shard to be committed, or why it failed as a whole.

    `ids` are those of its papers.
    """

    prepared: Prepared = field(default_factory=Prepared)
    ids: SeenIds = field(default_factory=SeenIds)
    failure: str | None = None


class Unit(Protocol):
    """A unit of work, which can be sent to another process."""

    @property
    def name(self) -> str:
        """How the report calls it."""

    @property
    def finished_as(self) -> str | None:
        """How the catalog remembers that it was processed to its end, if it does."""

    def work(self, desk: Desk, moment: datetime, earlier: SeenIds) -> Outcome:
        """Read and prepare it, issued at `moment`; `earlier` are ids that units before it had.

        The same arguments and the same catalog give the same bytes.
        """


@dataclass(frozen=True, slots=True)
class SavedReply:
    """One saved reply of arXiv; one that cannot be used is a failure.

    `name` is the path as it was given; `path` holds in any working directory.
    """

    path: Path
    name: str

    @property
    def finished_as(self) -> None:
        """Nothing: a reply that is seen again is compared again."""

    def work(self, desk: Desk, moment: datetime, earlier: SeenIds) -> Outcome:  # noqa: ARG002 - a Unit
        """Keep the reply as it came, and prepare its papers."""
        watch = Stopwatch()
        try:
            with watch.stage("read and parse"):
                data = read_reply(self.path, limit=MAX_PAGE_BYTES)
                page = parse_page(data)
        except OaiError as error:
            # An empty list is an answer; any other error means that a request went wrong.
            is_answer = error.code == "noRecordsMatch"
            return Outcome(failure=None if is_answer else f"an error reply: {error}")
        except (UnreadableReplyError, PageError) as error:
            return Outcome(failure=str(error))
        with writing(desk.layout.root):
            source = keep_reply(desk.layout, data)
            prepared = prepare_page(desk, page.papers, page.rejects, source, moment)
        watch.add(prepared.seconds)
        prepared.seconds = watch.seconds
        ids = SeenIds()
        for paper in page.papers:
            ids.add(paper.id)
        return Outcome(prepared, ids)


@dataclass(frozen=True, slots=True)
class SnapshotPart:
    """One part of a snapshot: a span of a plain file, or the lines of a packed one.

    `key` names it among the finished parts. One that is `finished` counted so much in an earlier
    run, and is read for its ids alone.
    """

    path: Path
    sha256: str
    selection: Selection
    part: Span | Part
    key: str
    finished: Counts | None = None

    @property
    def name(self) -> str:
        """The unit that its shard is named after."""
        return f"snapshot-{self.sha256[:32]}-{self.part.index:05}"

    @property
    def finished_as(self) -> str | None:
        """Its key, unless it is noted already."""
        return None if self.finished else self.key

    def work(self, desk: Desk, moment: datetime, earlier: SeenIds) -> Outcome:
        """Prepare the part's papers; of several lines with one id the first row counts."""
        watch, ids = Stopwatch(), earlier
        with watch.stage("read and parse"):
            part = read_span(self.path, self.part) if isinstance(self.part, Span) else self.part
            found = reject_repeated(part, read_part(part, selection=self.selection), ids)
        if self.finished:
            return Outcome(Prepared(self.finished.seen_again(), seconds=watch.seconds), ids)
        with writing(desk.layout.root):
            prepared = prepare(
                desk, found.papers, found.rejects,
                unit=self.name, source=self.sha256, moment=moment,
            )  # fmt: skip
        watch.add(prepared.seconds)
        prepared.seconds = watch.seconds
        counts = prepared.counts
        counts.passed_over, counts.blank = found.passed_over, found.blank
        counts.lines = len(part.lines)
        return Outcome(prepared, ids)
