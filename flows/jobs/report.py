"""The report of a run: what came in, what became of it, where it lies."""

import json
from dataclasses import asdict, dataclass, field
from datetime import datetime

from flows.common.counts import Counts
from flows.common.errors import ArxivError
from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import sentence
from flows.ingest.run import InputFile, Nouns, Run, WindowOutcome
from flows.jobs.reports.activity import Activity, make_activity
from flows.jobs.reports.kept import PAGE, parse_report
from flows.jobs.reports.words import headline
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
    `report.html` are made of.
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

    def lines(self) -> list[str]:
        """Return what happened as a person reads it; what needs attention comes last."""
        c = self.counts
        came = f"{self.nouns.units} {self.units}, {self.nouns.papers} {c.papers}"
        issued = f"new records {c.new_records}, new snapshots {c.new_snapshots}"
        lines = [
            *self._sources(),
            *self.papers,
            f"{came} (withdrawn {c.withdrawn})",
            f"{issued}, unchanged {c.unchanged}, rejects {c.rejects}",
            f"tables:  {self._place('tables')}",
            f"bundles: {self._place('bundles')}",
            f"report:  {self._place(RUNS, self.run, 'report.md')}",
            *([f"reissued {c.reissued}"] if c.reissued else []),
            *self.coverage,
            *self._troubles(),
        ]
        return [sentence(line) for line in lines]

    def _sources(self) -> list[str]:
        lines = []
        if self.input_file:
            lines = [
                f"file {self.input_file.name}, {self.input_file.size} bytes",
                f"sha256 {self.input_file.sha256}",
                self._lines_read(),
            ]
        for w in self.windows:
            if w.was_done:
                lines.append(f"done before: {w.window}")
            elif not w.problem:
                lines.append(
                    f"complete: {w.window}: listed {w.listed}, harvested {w.harvested}, "
                    f"recovered {w.recovered}, deleted {w.deleted}, moved {w.moved}"
                )
        return lines

    def _lines_read(self) -> str:
        """Return what became of each line; the numbers add up."""
        c = self.counts
        repeated = c.by_reason.get(REPEATED, 0)
        return (
            f"lines {c.lines}: papers {c.papers}, rejects {c.rejects} (repeated ids {repeated}), "
            f"not selected {c.filtered}, blank {c.blank}"
        )

    def _troubles(self) -> list[str]:
        lines = []
        if self.unaccounted:
            lines.append(f"NOT ACCOUNTED FOR: {self.unaccounted} lines; please report it")
        if self.counts.rejects:
            lines.append(f"rejects, kept with their bytes in {self._place('tables', 'rejects')}:")
            often = sorted(self.counts.by_reason.items(), key=lambda item: (-item[1], item[0]))
            lines += [f"  {count}: {reason}" for reason, count in often[:MOST_REASONS]]
        if self.failures:
            lines.append("inputs that could not be used:")
            lines += [f"  {name}: {reason}" for name, reason in self.failures.items()]
        lines += [f"NOT COMPLETE: {w.window}: {w.problem}" for w in self.incomplete]
        if self.incomplete:
            lines.append("the same command goes on where this run stopped")
        elif self.unreachable:
            lines.append(self.unreachable)
        if self.stopped:
            lines.append(f"STOPPED: {self.stopped}")
        return lines

    def write(self, layout: Layout) -> bytes:
        """Write `report.json` and `report.md` into the run's folder; return the JSON."""
        as_json = self.to_json()
        for name, data in (("report.json", as_json), ("report.md", self.markdown().encode())):
            layout.files.write(layout.report(self.run, name), data)
        return as_json

    def to_json(self) -> bytes:
        """Return the text of `report.json`."""
        values = asdict(self) | {"exit_status": self.exit_status}
        for name in ("started_at", "finished_at"):
            values[name] = values[name].isoformat()
        return (json.dumps(values, indent=2) + "\n").encode()

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


class UnreachableRunError(ArxivError):
    """A flow's run that could not reach arXiv; `report` has what was done until then."""

    def __init__(self, report: RunReport) -> None:
        """Take the report of the run; the one argument, so that Prefect can pickle the error."""
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        """Return why arXiv was not reached."""
        return sentence(self.report.unreachable or "")


def _cell(text: str) -> str:
    """Return text for a cell of a Markdown table, or between backticks: it ends neither."""
    return sentence(text).replace("|", r"\|").replace("`", "'")


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
    )
