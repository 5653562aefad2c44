"""Saved OAI-PMH replies as a source, also those of a kept harvest: files, or folders of them."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import ClassVar, Self

from flows.common.config import Config
from flows.common.counts import counted
from flows.common.process.stopwatch import Stopwatch
from flows.ingest.commit import prepare_reply
from flows.ingest.run import Run
from flows.ingest.schedule import UnitSeries, process_units
from flows.ingest.unit import PreparedUnit
from flows.ingest.worker_context import WorkerContext
from flows.sources.plan import Plan
from flows.sources.source import BackfillOptions
from flows.store.files.raw_replies import (
    UnreadableReplyError,
    find_replies,
    read_reply,
    served_at,
)
from transforms.paper.selection import SeenIds
from transforms.parsing.arxiv_xml import parse_page
from transforms.parsing.oai_xml import MAX_PAGE_BYTES, OaiError, PageError


@dataclass(frozen=True, slots=True)
class SavedReplies:
    """Saved replies, in the order in which arXiv served them: of a day's the last one counts."""

    paths: tuple[Path, ...]
    title: ClassVar[str] = "raw replies"

    @classmethod
    def from_options(cls, options: BackfillOptions) -> Self | None:
        """Return the saved replies that the options name, if they do."""
        return cls(tuple(options.raw)) if options.raw else None

    def plan(self, config: Config) -> Plan:
        """Return how much there is to read."""
        replies = find_replies(self.paths)
        size = sum(reply.stat().st_size for reply in replies)
        files = counted(len(replies), "files")
        lines = [f"{files} of saved replies, {size:,} bytes as they lie", "no request to arXiv"]
        return Plan(lines)

    def check(self, config: Config) -> None:
        """Raise `ConfigError` for a path that does not exist, or a folder without replies."""
        find_replies(self.paths)

    def process(self, run: Run) -> None:
        """Process the replies; one that cannot be used is noted as a failure."""
        paths = sorted(find_replies(self.paths), key=served_at)
        replies = [SavedReply(path.absolute(), str(path)) for path in paths]
        process_units(run, UnitSeries(replies, len(replies), _describe), preload=[__name__])


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

    def prepare(
        self,
        context: WorkerContext,
        moment: datetime,
        earlier: SeenIds,
    ) -> PreparedUnit:
        """Keep the reply as it came, and prepare its papers."""
        watch = Stopwatch()
        try:
            with watch.stage("read and parse"):
                data = read_reply(self.path, limit=MAX_PAGE_BYTES)
                page = parse_page(data)
        except OaiError as error:
            # An empty list is an answer; any other error means that a request went wrong.
            is_answer = error.code == "noRecordsMatch"
            return PreparedUnit(failure=None if is_answer else f"an error reply: {error}")
        except (UnreadableReplyError, PageError) as error:
            return PreparedUnit(failure=str(error))
        found = prepare_reply(context, data, page, moment)
        watch.add(found.prepared.seconds)
        found.prepared.seconds = watch.seconds
        return found


def _describe(first: SavedReply, last: SavedReply) -> str:
    names = Path(first.name).name, Path(last.name).name
    return names[0] if first is last else f"{names[0]} … {names[1]}"
