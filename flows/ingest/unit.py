"""A unit of work: what one process reads and prepares by itself, whichever process that is."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from flows.ingest.prepare import Prepared
from flows.ingest.worker_context import WorkerContext
from transforms.paper.selection import SeenIds


@dataclass(slots=True)
class PreparedUnit:
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

    def prepare(self, context: WorkerContext, moment: datetime, earlier: SeenIds) -> PreparedUnit:
        """Read and prepare it, issued at `moment`; `earlier` are ids that units before it had.

        The same arguments and the same catalog give the same bytes.
        """
