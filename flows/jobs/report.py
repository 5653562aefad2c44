"""The report of a run: what came in, what became of it, where it lies."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from flows.common.counts import Counts, counted, outcome, tone_of
from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import Line, Tone, sentence
from flows.ingest.run import InputFile, Nouns, Run, WindowOutcome
from flows.jobs.reports.activity import Activity, make_activity
from flows.jobs.reports.kept import PAGE, parse_report
from flows.jobs.reports.words import headline, most_often
from flows.sources.kaggle.lines import REPEATED
from flows.store.layout import RUNS, Layout
from flows.store.parquet.shards import WrittenFile

MOST_REASONS = 10
MOST_FILES = 100


@dataclass(slots=True)
class RunReport:
    """The report of one run; written as `report.json` and `report.md`, printed as `lines`.

    `papers` has a line on each paper of a rerun, and none for the many of other jobs. `coverage`
    says after a night which days of its sets are proven, and which are not. `microseconds` are
    those of a paper in some stages, for each 100,000 papers in turn. `signed` is what the plots of
    `report.html` are made of. `has_files` says whether bundles are files too, beside the tables.
    """

    run: str
    job: str
    started_at: datetime
    finished_at: datetime
    data_dir: str
    key_fingerprint: str
    key_id: str
    builder_version: str
    units: int
    counts: Counts
    nouns: Nouns = field(default_factory=Nouns)
    files: list[WrittenFile] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    microseconds: dict[str, list[float]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)
    windows: list[WindowOutcome] = field(default_factory=list)
    coverage: list[str] = field(default_factory=list)
    papers: list[str] = field(default_factory=list)
    input_file: InputFile | None = None
    unreachable: str | None = None
    stopped: str | None = None
    signed: Activity = field(default_factory=Activity)
    has_files: bool = True

    @property
    def exit_status(self) -> ExitStatus:
        """How the run ended; `UNUSABLE` where the input could not be read on."""
        if self.unreachable:
            return ExitStatus.UNREACHABLE
        if self.stopped:
            return ExitStatus.UNUSABLE
        is_done = not (self.failures or self.counts.rejects or self.incomplete)
        return ExitStatus.DONE if is_done and not self.unaccounted else ExitStatus.PROBLEMS

    @property
    def unaccounted(self) -> int:
        """How many lines of Kaggle's file became nothing at all: 0, unless a fault of ours."""
        c = self.counts
        return c.lines - (c.papers + c.rejects + c.filtered + c.blank) if self.input_file else 0

    @property
    def incomplete(self) -> list[WindowOutcome]:
        """The windows that are not proven complete."""
        return [window for window in self.windows if window.problem]

    @property
    def outcome(self) -> str:
        """How the run ended, in a few words: `done`, or `done, 1 reject`."""
        return outcome(
            self.exit_status,
            rejects=self.counts.rejects,
            failures=len(self.failures),
            incomplete=len(self.incomplete),
        )

    @property
    def tone(self) -> Tone:
        """What its outcome means."""
        return tone_of(self.exit_status, incomplete=bool(self.incomplete or self.unaccounted))

    def lines(self) -> list[str]:
        """Return what happened as a person reads it; what needs attention comes last."""
        return [line.text for line in self.toned_lines()]

    def toned_lines(self) -> list[Line]:
        """Return the same lines with what each means."""
        lines = [
            *map(Line, self._sources()),
            *map(Line, self.papers),
            Line(f"{self.outcome}: {self._came()}", self.tone),
            *map(Line, self._results()),
            *map(_covered, self.coverage),
            *self.troubles(),
        ]
        return [line._replace(text=sentence(line.text)) for line in lines]

    def _came(self) -> str:
        """Return what came in, such as `9 papers of 1 reply, 1 of them withdrawn`."""
        c, nouns = self.counts, self.nouns
        came = f"{counted(c.papers, nouns.papers)} of {counted(self.units, nouns.units)}"
        return f"{came}, {c.withdrawn:,} of them withdrawn" if c.withdrawn else came

    def _results(self) -> list[str]:
        c = self.counts
        issued = [counted(c.new_records, "new records"), counted(c.new_snapshots, "new snapshots")]
        issued += [f"{c.reissued:,} reissued"] if c.reissued else []
        bundles = self._place("bundles") if self.has_files else "in the tables alone"
        return [
            f"  {', '.join(issued)}, {c.unchanged:,} unchanged",
            f"  tables   {self._place('tables')}",
            f"  bundles  {bundles}",
            f"  report   {self._place(RUNS, self.run, 'report.md')}",
        ]

    def _sources(self) -> list[str]:
        lines = []
        if self.input_file:
            lines = [
                f"file {self.input_file.name}, {self.input_file.size:,} bytes",
                f"sha256 {self.input_file.sha256}",
                *self._lines_read(),
            ]
        for w in self.windows:
            if w.was_done:
                lines.append(f"done before: {w.window}")
            elif not w.problem:
                lines.append(f"complete: {w.window}: {_numbers(w)}")
        return lines

    def _lines_read(self) -> list[str]:
        """Return what became of each line; the numbers add up."""
        c = self.counts
        rejects = counted(c.rejects, "rejects")
        if repeated := c.by_reason.get(REPEATED, 0):
            rejects += f" ({counted(repeated, 'repeated ids')})"
        return [
            f"{counted(c.lines, 'lines')}: {counted(c.papers, 'papers')}, {rejects}",
            f"  {c.filtered:,} not selected, {c.blank:,} blank",
        ]

    def troubles(self) -> list[Line]:
        """Return what needs attention, the worst last, and what mends it; none if all is well."""
        lines = []
        if self.counts.rejects:
            kept = "kept with its bytes" if self.counts.rejects == 1 else "kept with their bytes"
            where = self._place("tables", "rejects")
            lines.append(f"{counted(self.counts.rejects, 'rejects')}, {kept} in {where}:")
            often = most_often(self.counts.by_reason.items())
            lines += [f"  {count:,}: {reason}" for reason, count in often[:MOST_REASONS]]
        if self.failures:
            lines.append(f"{counted(len(self.failures), 'inputs')} that could not be used:")
            lines += [f"  {name}: {reason}" for name, reason in self.failures.items()]
        return [
            *(Line(line, Tone.WARNING) for line in lines),
            *(Line(line, Tone.BAD) for line in self._unfinished()),
        ]

    def _unfinished(self) -> list[str]:
        lines = [f"NOT COMPLETE: {w.window}: {w.problem}" for w in self.incomplete]
        if self.unaccounted:
            lost = counted(self.unaccounted, "lines")
            lines.append(f"NOT ACCOUNTED FOR: {lost}; please report it")
        if self.incomplete:
            lines.append(f"{self._again} goes on where this run stopped")
        elif self.unreachable:
            lines.append(self.unreachable)
        if self.stopped:
            lines.append(f"STOPPED: {self.stopped}")
        return lines

    @property
    def _again(self) -> str:
        return "'pith-ingest nightly'" if self.job == "nightly" else "the same command"

    def write(self, layout: Layout) -> bytes:
        """Write `report.json` and `report.md` into the run's folder; return the JSON."""
        as_json = self.to_json()
        for name, data in (("report.json", as_json), ("report.md", self.markdown().encode())):
            layout.files.write(layout.report(self.run, name), data)
        return as_json

    def to_json(self) -> bytes:
        """Return the text of `report.json`."""
        return (json.dumps(self.document(), indent=2) + "\n").encode()

    def document(self) -> dict[str, Any]:
        """Return what `report.json` holds, and `--json` prints."""
        values = asdict(self) | {"outcome": self.outcome, "exit_status": int(self.exit_status)}
        for name in ("started_at", "finished_at"):
            values[name] = values[name].isoformat()
        return values

    @property
    def summary(self) -> str:
        """How the run went, in one sentence; see `headline`."""
        return headline(parse_report(self.to_json()))

    @property
    def page(self) -> str:
        """Where the page `report.html` of this run lies."""
        return self._place(RUNS, self.run, PAGE)

    def markdown(self) -> str:
        """Return the text of `report.md`: sentence and lines, the key, the papers by category."""
        categories = "\n".join(
            f"| {_cell(name)} | {count} |"
            for name, count in sorted(self.counts.by_category.items())
        )
        stages = "\n".join(f"| {name} | {spent:.2f} |" for name, spent in self.seconds.items())
        files = "\n".join(
            f"| {_cell(file.path)} | {file.size} | {file.sha256} |"
            for file in self.files[:MOST_FILES]
        )
        lines = "\n".join([f"{self.summary}.", "", *self.lines()])
        return (
            f"# {self.job}: {self.run}\n\n```text\n{lines}\n```\n\n"
            f"- page with plots: `{_cell(self.page)}`\n"
            f"- table files: {len(self.files)}, {sum(file.size for file in self.files)} bytes\n"
            f"- key `{_cell(self.key_id)}`, fingerprint `{self.key_fingerprint}`, "
            f"builder `{_cell(self.builder_version)}`\n"
            f"- {self.started_at:%Y-%m-%d %H:%M:%S} to {self.finished_at:%H:%M:%S} UTC\n\n"
            f"| primary category | papers |\n|---|---|\n{categories}\n\n"
            f"| stage | seconds |\n|---|---|\n{stages}\n\n"
            f"| file | bytes | sha256 |\n|---|---|---|\n{files}\n"
        )

    def _place(self, *parts: str) -> str:
        return "/".join((self.data_dir, *parts))


def _cell(text: str) -> str:
    """Return text for a cell of a Markdown table, or between backticks: it ends neither."""
    return sentence(text).replace("|", r"\|").replace("`", "'")


def _numbers(window: WindowOutcome) -> str:
    """Return how the papers of a window came; what is rare only where there is any."""
    rare = {"recovered": window.recovered, "deleted": window.deleted, "moved": window.moved}
    numbers = [f"{window.listed:,} listed", f"{window.harvested:,} harvested"]
    return ", ".join(numbers + [f"{number:,} {what}" for what, number in rare.items() if number])


def _covered(line: str) -> Line:
    return Line(line, Tone.WARNING if "NOT PROVEN" in line else Tone.PLAIN)


def make_report(run: Run, finished_at: datetime) -> RunReport:
    """Return the report of a run that is over."""
    counts = Counts()
    for result in run.results:
        counts.add(result.counts)
    issuer = run.issuer
    return RunReport(
        run=run.name,
        job=run.job,
        started_at=run.started_at,
        finished_at=finished_at,
        data_dir=run.store.layout.location,
        key_fingerprint=issuer.fingerprint,
        key_id=issuer.identity.key_id,
        builder_version=issuer.identity.builder_version,
        units=len(run.results),
        counts=counts,
        nouns=run.nouns,
        files=[file for result in run.results for file in result.files],
        seconds=run.store.watch.seconds,
        microseconds=run.store.watch.microseconds,
        failures={result.unit: result.failure for result in run.results if result.failure},
        windows=run.windows,
        coverage=run.coverage,
        papers=run.papers,
        input_file=run.input_file,
        unreachable=run.unreachable,
        stopped=run.stopped,
        signed=make_activity(run.signed),
        has_files=run.store.written is not None,
    )
