"""A run under way: what its units share, and what became of them until now."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime

from flows.common.config import Config
from flows.common.counts import Counts
from flows.common.process.clock import Clock
from flows.ingest.prepare import Signed
from flows.ingest.progress.meter import ProgressMeter
from flows.ingest.steps import StepRunner
from flows.ingest.worker_context import WorkerContext
from flows.store.parquet.shards import WrittenFile
from flows.store.store import Store
from transforms import Issuer


@dataclass(slots=True)
class UnitResult:
    """The result of one unit of work: its counts and files, or why it failed as a whole."""

    unit: str
    counts: Counts = field(default_factory=Counts)
    failure: str | None = None
    files: list[WrittenFile] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class WindowOutcome:
    """The outcome of a window: how many papers arXiv lists in it, and how they came.

    `deleted` were listed and do not exist any more; `moved` came and are not listed any more, for
    they have changed since and so belong to a later day. `problem` is None when it is complete.
    """

    window: str
    listed: int = 0
    harvested: int = 0
    recovered: int = 0
    deleted: int = 0
    moved: int = 0
    was_done: bool = False
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file as it lies on disk, of which all papers of a run come; `sha256` is in hex."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Nouns:
    """The names, in a report, of the units of its run and of what they hold."""

    units: str = "replies"
    papers: str = "papers"


@dataclass(slots=True)
class Run:
    """A run under way; its steps add to `results`, and to what else its report says.

    `windows` are those of a harvest, `coverage` and `papers` are lines of the report; `unreachable`
    says why arXiv could not be asked any more, `stopped` why the input could not be read on;
    `signed` counts the papers that got a bundle, as `Prepared` does.
    `progress` is told where papers come to count, and by the source what is still to come.
    """

    name: str
    job: str
    config: Config
    store: Store
    issuer: Issuer
    steps: StepRunner
    started_at: datetime
    nouns: Nouns = field(default_factory=Nouns)
    results: list[UnitResult] = field(default_factory=list)
    windows: list[WindowOutcome] = field(default_factory=list)
    coverage: list[str] = field(default_factory=list)
    papers: list[str] = field(default_factory=list)
    input_file: InputFile | None = None
    unreachable: str | None = None
    stopped: str | None = None
    committed: Counts = field(default_factory=Counts)
    signed: Counter[Signed] = field(default_factory=Counter)
    progress: ProgressMeter = field(default_factory=ProgressMeter)

    @property
    def clock(self) -> Clock:
        """The time of the data folder."""
        return self.store.clock

    @property
    def context(self) -> WorkerContext:
        """The context in which this process prepares shards."""
        return WorkerContext(self.store.layout, self.store.catalog, self.issuer, self.name)
