"""The protocol of a source of papers, and the options of a backfill, of which some name its source.

Next to nothing is imported here: the command line reads the options when it starts.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Protocol, Self

if TYPE_CHECKING:
    from flows.common.config import Config
    from flows.ingest.run import Run
    from flows.sources.plan import Plan


@dataclass(frozen=True, slots=True)
class SourceFlag:
    """How the command line calls an option that names a source."""

    name: str
    metavar: str
    help: str


@dataclass(frozen=True, kw_only=True)
class BackfillOptions:
    """The options of a backfill, as a command, a form of Prefect's or a deployment gives them.

    Those with a `SourceFlag` name the source. `first` and `until` are days of the last change;
    `limit` is how many papers of a search to take. With `reissue` all receipts are issued again
    with the current key, and no source is read.
    """

    raw: Annotated[
        list[Path] | None,
        SourceFlag(
            "--raw",
            "PATH",
            "A saved OAI-PMH reply (arXivRaw; .xml, .xml.gz, .xml.zst) or a folder of them.",
        ),
    ] = None
    categories: Annotated[
        list[str] | None,
        SourceFlag(
            "--category",
            "C",
            "Harvest this category, such as cs.LG; again for more; 'all' for all.",
        ),
    ] = None
    snapshot: Annotated[
        Path | None, SourceFlag("--snapshot", "FILE", "The metadata file from Kaggle.")
    ] = None
    search: Annotated[
        str | None, SourceFlag("--search", "QUERY", "Take what a search of arXiv finds.")
    ] = None
    first: date | None = None
    until: date | None = None
    limit: int = 2000
    reissue: bool = False
    config_file: Path | None = None
    data_dir: Path | None = None


class Source(Protocol):
    """Where a backfill's papers come from; made from the options that name it."""

    title: ClassVar[str]
    """How messages call it, such as `a search`."""

    @classmethod
    def from_options(cls, options: BackfillOptions) -> Self | None:
        """Return the source that the options name, or None where they name no such."""

    def plan(self, config: "Config") -> "Plan":
        """Return what processing it would do; nothing is written."""

    def check(self, config: "Config") -> None:
        """Raise a `PithError` where it cannot be used, before a run is opened for it."""

    def process(self, run: "Run") -> None:
        """Take its papers, and note what became of them in `run`.

        By units of work (`flows.ingest.schedule.process_units`) or by a harvest of its own, in
        steps that `run.steps` runs.
        """
