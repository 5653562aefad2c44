"""The metadata file from Kaggle as a source: all of it, or what a selection takes."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Self

from flows.common.config import Config
from flows.common.errors import InputFileError, LostInputError
from flows.common.limits import Limits
from flows.ingest.run import Nouns, Run, UnitResult
from flows.ingest.schedule import process_units
from flows.sources.kaggle.file import describe_size, no_text
from flows.sources.kaggle.json_array import refuse_array
from flows.sources.kaggle.parts import Scan, scan
from flows.sources.kaggle.units import PRELOAD, part_series
from flows.sources.plan import Plan
from flows.sources.source import BackfillOptions
from transforms.paper.selection import Selection

ROW_BYTES = 1_700
COMPRESSION = 3
"""The file's text is about so many times as large as it is compressed."""


@dataclass(slots=True)
class KaggleMetadata:
    """Kaggle's metadata file, or the papers of it that are selected.

    A part counts only when its bytes are those of the file whose sha256 it is noted under.
    """

    file: Path
    selection: Selection
    title: ClassVar[str] = "a snapshot"
    _scanned: Scan | None = field(default=None, init=False, repr=False, compare=False)

    @classmethod
    def from_options(cls, options: BackfillOptions) -> Self | None:
        """Return the file that the options name, if they do, with the papers to take of it."""
        if not options.snapshot:
            return None
        categories = frozenset(options.categories or ())
        return cls(options.snapshot, Selection(categories, options.first, options.until))

    def plan(self, config: Config) -> Plan:
        """Return about how many rows there are, and which of them would be taken."""
        refuse_array(self.file)
        size, text = describe_size(self.file)
        rows = (size * COMPRESSION if text is None else text) // ROW_BYTES
        name = self.file.name
        lines = [f"Kaggle's {name}, {size} bytes: about {rows} rows of {ROW_BYTES} bytes each"]
        is_all = self.selection == Selection()
        if not is_all:
            categories = " ".join(sorted(self.selection.categories)) or "any category"
            days = f"{self.selection.first or 'the beginning'} to {self.selection.until or 'now'}"
            lines.append(f"of these only the papers of {categories}, changed {days}")
        return Plan([*lines, "no request to arXiv"], rows if is_all else None)

    def check(self, config: Config) -> None:
        """Read the file once; raises `InputFileError` for one that is empty, or no such file."""
        refuse_array(self.file)
        if not self._scan(config.limits).file.size:
            raise no_text(self.file)

    def process(self, run: Run) -> None:
        """Process the file's parts; where it cannot be read on, what came before counts."""
        scanned = self._scan(run.config.limits)
        run.nouns, run.input_file = Nouns(units="parts"), scanned.file
        try:
            series = part_series(run, self.file, scanned, self.selection)
            process_units(run, series, preload=PRELOAD)
        except LostInputError as error:
            run.stopped = str(error)
        except InputFileError as error:
            # What came before the damage was yielded, and is kept.
            run.results.append(UnitResult(self.file.name, failure=str(error)))
        else:
            if not run.results:
                raise no_text(self.file)
            if change := scanned.proof.change(self.file):
                failure = f"{change}; all of it as it was is kept, run again for what it is now"
                run.results.append(UnitResult(self.file.name, failure=failure))

    def _scan(self, limits: Limits) -> Scan:
        """Return the file as it was when it was read the first time."""
        if self._scanned is None:
            self._scanned = scan(self.file, limits)
        return self._scanned
