"""A fifth source: one class and one option, run by the job, the dry run and the command line."""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Annotated, ClassVar, Self, get_type_hints

import pytest
import typer
from support.papers.snapshot_rows import text
from support.paths import ROOT
from support.runs.runs import assert_whole, config_in, rows
from typer.testing import CliRunner

from flows.cli.jobs import backfill_command
from flows.common.config import Config
from flows.common.errors import ConfigError
from flows.ingest.prepare import prepare
from flows.ingest.run import Nouns, Run
from flows.ingest.schedule import UnitSeries, process_units
from flows.ingest.unit import PreparedUnit
from flows.ingest.worker_context import WorkerContext
from flows.jobs.backfill import backfill, process_source
from flows.jobs.dry_run import plan_backfill
from flows.sources import registry
from flows.sources.plan import Plan
from flows.sources.source import BackfillOptions, SourceFlag
from flows.store.files.local import writing
from transforms.paper.selection import SeenIds
from transforms.parsing.kaggle import parse_line

# All that a fifth source takes, from here ...


@dataclass(frozen=True, kw_only=True)
class Options(BackfillOptions):
    boxes: Annotated[list[Path] | None, SourceFlag("--box", "FILE", "A box of one line.")] = None


@dataclass(frozen=True, slots=True)
class Box:
    path: Path
    finished_as: None = None

    @property
    def name(self) -> str:
        return self.path.name

    def prepare(self, context: WorkerContext, moment: datetime, earlier: SeenIds) -> PreparedUnit:  # noqa: ARG002
        try:
            papers = [parse_line(self.path.read_bytes())]
        except OSError as error:
            return PreparedUnit(failure=error.strerror)
        with writing(context.layout.root):
            unit = f"box-{self.name}"
            done = prepare(context, papers, [], unit=unit, source=unit, moment=moment)
        return PreparedUnit(done, SeenIds())


@dataclass(frozen=True, slots=True)
class Boxes:
    paths: tuple[Path, ...]
    title: ClassVar[str] = "boxes"

    @classmethod
    def from_options(cls, options: BackfillOptions) -> Self | None:
        named = options.boxes if isinstance(options, Options) else None
        return cls(tuple(named)) if named else None

    def plan(self, config: Config) -> Plan:  # noqa: ARG002
        return Plan([f"{len(self.paths)} boxes"])

    def check(self, config: Config) -> None:
        pass

    def process(self, run: Run) -> None:
        run.nouns = Nouns(units="boxes")
        boxes = [Box(path) for path in self.paths]
        process_units(run, UnitSeries(boxes, len(boxes), lambda first, _: first.name))


# ... to here; and its entry in the registry:
@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "SOURCES", [*registry.SOURCES, Boxes])


@pytest.fixture
def boxes(tmp_path: Path) -> list[Path]:
    paths = [tmp_path / f"{number}.box" for number in (1, 2)]
    for number, path in enumerate(paths, 1):
        path.write_bytes(text(f"2201.0000{number}"))
    return paths


def test_the_job_runs_it(tmp_path: Path, boxes: list[Path]) -> None:
    missing = [*boxes, tmp_path / "3.box"]
    report = process_source(config_in(tmp_path), Boxes(tuple(missing)))
    assert (report.counts.new_records, list(report.failures)) == (2, ["3.box"])
    assert "done, 1 unusable input: 2 papers of 3 boxes" in report.lines()
    assert_whole(tmp_path)


def test_the_dry_run_plans_it(tmp_path: Path, boxes: list[Path]) -> None:
    config = config_in(tmp_path)
    assert plan_backfill(config, Options(boxes=boxes)).lines == ["2 boxes"]
    with pytest.raises(ConfigError, match="a search, categories, or boxes"):
        backfill(Options(boxes=boxes, raw=boxes))


def test_the_command_line_runs_it(
    tmp_path: Path, boxes: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_URL", "")
    monkeypatch.setenv("PITH_IDENTITY__KEY_FILE", str(tmp_path / "signing.key"))
    app = typer.Typer()
    app.command()(backfill_command(Options))
    named = [word for path in boxes for word in ("--box", str(path))]
    words = [*named, "--data", str(tmp_path / "data")]
    assert "A box of one line." in CliRunner().invoke(app, ["--help"]).stdout
    assert CliRunner().invoke(app, [*words, "--dry-run"]).stdout == "2 boxes\n"
    done = CliRunner().invoke(app, words)
    assert (done.exit_code, "2 new records" in done.stdout) == (0, True)
    assert json.loads(next(tmp_path.rglob("report.json")).read_text())["units"] == 2
    assert len(rows(tmp_path, "papers")) == 2


def test_the_documentation_and_the_help_name_every_source() -> None:
    jobs = (ROOT / "docs" / "jobs.md").read_text()
    for name, hint in get_type_hints(BackfillOptions, include_extras=True).items():
        for flag in getattr(hint, "__metadata__", ()):
            assert f"- `{flag.name} " in jobs, name
    options = BackfillOptions(raw=[Path("a")], snapshot=Path("b"), search="c", categories=["d"])
    assert all(kind.from_options(options) for kind in registry.SOURCES if kind is not Boxes)
