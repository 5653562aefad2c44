"""The command `report`: the newest run, a named one, all runs of some days; pages and JSON."""

import json
import os
import shutil
from datetime import date, timedelta
from pathlib import Path

import pytest
from support.commands.command import assert_one_sentence, run
from support.papers.oai_pages import page, record
from support.runs.nights import make_nights
from support.runs.runs import process
from typer.testing import CliRunner

from flows.cli.app import app
from flows.common.errors import PithError
from flows.common.process.exit_status import ExitStatus

pytestmark = pytest.mark.process

LAST = date(2026, 11, 20)
SPAN = ("--from", "2026-11-14", "--until", str(LAST))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a data folder of five nights; a test that changes it takes a copy."""
    folder = tmp_path_factory.mktemp("nights")
    make_nights(folder, LAST, nights=5, papers=60)
    return folder / "data"


@pytest.fixture
def copied(data: Path, tmp_path: Path) -> Path:
    """Give the reports of that folder, to be damaged."""
    shutil.copytree(data / "runs", tmp_path / "data" / "runs")
    return tmp_path / "data"


def report(*words: str | Path) -> tuple[int, str]:
    """Return exit status and output of the command, called within this process."""
    done = CliRunner().invoke(app, ["report", *map(str, words)])
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout


def refusal(*words: str | Path) -> str:
    """Return the one sentence by which the command refuses."""
    done = CliRunner().invoke(app, ["report", *map(str, words)])
    assert done.stdout == ""
    if isinstance(done.exception, SystemExit):
        assert done.exit_code == ExitStatus.UNUSABLE
        return done.stderr
    assert isinstance(done.exception, PithError)
    assert done.exception.exit_status == ExitStatus.UNUSABLE
    return str(done.exception)


def runs(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "runs").iterdir())


def test_a_run_leaves_a_page_beside_its_report(data: Path) -> None:
    for name in runs(data):
        assert {path.name for path in (data / "runs" / name).iterdir()} >= {
            "report.html", "report.json", "report.md"
        }  # fmt: skip


def test_the_newest_run_is_told_in_a_sentence_and_numbers(data: Path, tmp_path: Path) -> None:
    done = run(tmp_path, "report", "--data", data)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0].startswith("Complete: the ")
    assert " changed on arXiv from 16 to 20 Nov are all here" in lines[0]
    assert any(line.startswith("papers ") and "median of the last 4" in line for line in lines)
    assert lines[-1].endswith("report.html")


def test_a_run_is_named_as_people_have_it_at_hand(data: Path) -> None:
    name = runs(data)[1]
    _, told = report(name, "--data", data)
    assert name in told
    folder = data / "runs" / name
    for named in (name[:10], name[-4:], str(folder), f"{folder}/", str(folder / "report.md")):
        assert report(named, "--data", data) == (0, told)


def test_a_name_of_no_run_or_of_several_is_one_sentence(data: Path, tmp_path: Path) -> None:
    none = run(tmp_path, "report", "xyz", "--data", data)
    assert_one_sentence(none, "there is no run 'xyz'")
    assert "beginning of 5 runs" in refusal("2026", "--data", data)
    assert "no run is in" in refusal("--data", tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_json_is_one_document_with_the_same_numbers(data: Path) -> None:
    status, text = report("--json", "--data", data)
    document = json.loads(text)
    name = runs(data)[-1]
    kept = json.loads((data / "runs" / name / "report.json").read_text())
    assert (status, document["run"], document["report"]["counts"]) == (0, name, kept["counts"])
    signed = kept["signed"]["papers"]
    new = kept["counts"]["new_records"] + kept["counts"]["new_snapshots"]
    assert sum(sum(archives.values()) for archives in signed.values()) == new > 0
    assert sum(kept["signed"]["lag_days"].values()) == new
    status, text = report(*SPAN, "--json", "--data", data)
    span = json.loads(text)
    assert [one["report"]["run"] for one in span["runs"]] == runs(data)


def test_the_last_days_are_counted_with_today(data: Path) -> None:
    today = date.today()  # noqa: DTZ011  # near enough: the span is far longer
    days = (today - LAST).days + 40
    _, told = report("--last", f"{days}d", "--data", data)
    assert told.startswith("5 runs from ")
    _, told = report("--from", "2026-11-19", "--until", str(LAST), "--data", data)
    assert told.startswith("2 runs from 19 to 20 Nov")
    _, told = report("--last", "2d", "--until", str(LAST), "--data", data)
    assert told.startswith("2 runs from 19 to 20 Nov")
    _, told = report("--last", "1 day", "--until", str(LAST), "--data", data)
    assert told.startswith("1 run on 20 Nov")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--last", "soon"], "is no day"),
        (["--last", "7d", "--from", "today"], "give one"),
        (["--until", "today"], "--until needs"),
        (["--from", "2026-11-20", "--until", "2026-11-01"], "after its end"),
        (["20261120", "--last", "7d"], "give one"),
    ],
    ids=str,
)
def test_a_span_that_makes_no_sense_is_told_so(data: Path, words: list[str], said: str) -> None:
    assert said in refusal(*words, "--data", data)


def test_a_page_replaces_its_like_and_nothing_else(data: Path, tmp_path: Path) -> None:
    file = tmp_path / "month.html"
    assert report(*SPAN, "--html", file, "--data", data)[0] == 0
    first = file.read_bytes()
    assert report("--html", file, "--data", data)[0] == 0
    assert first != file.read_bytes()
    assert list(tmp_path.iterdir()) == [file]
    file.write_text("<p>My own page")
    assert "is no page of 'pith-ingest report'" in refusal("--html", file, "--data", data)
    assert file.read_text() == "<p>My own page"
    assert "is a folder" in refusal("--html", tmp_path, "--data", data)
    lost = tmp_path / "none" / "x.html"
    assert "there is no folder" in refusal("--html", lost, "--data", data)
    os.mkfifo(tmp_path / "pipe")
    assert "is no page of" in refusal("--html", tmp_path / "pipe", "--data", data)


def test_a_damaged_report_is_named_and_the_others_are_told(copied: Path) -> None:
    first, second, *_ = runs(copied)
    file = copied / "runs" / first / "report.json"
    file.write_bytes(file.read_bytes()[:200])
    (copied / "runs" / second / "report.json").unlink()
    status, told = report(*SPAN, "--data", copied)
    assert status == 1
    assert told.startswith("3 runs from 14 to 20 Nov")
    assert f"{first}/report.json is damaged" in " ".join(told.split())
    assert f"{second} has no report" in told
    status, text = report(*SPAN, "--json", "--data", copied)
    assert (status, len(json.loads(text)["runs"])) == (1, 3)


def test_reports_of_older_versions_are_read(copied: Path) -> None:
    for name in runs(copied)[:3]:
        file = copied / "runs" / name / "report.json"
        older = json.loads(file.read_text())
        for key in ("signed", "microseconds", "coverage", "nouns", "papers", "stopped"):
            older.pop(key, None)
        file.write_text(json.dumps(older))
    (copied / "runs" / runs(copied)[0] / "report.html").unlink()
    status, told = report(*SPAN, "--data", copied)
    assert (status, told.startswith("5 runs")) == (0, True)
    _, told = report(runs(copied)[0], "--data", copied)
    assert "none yet; --html FILE writes it" in told


def test_a_reject_is_told_with_its_reason(tmp_path: Path) -> None:
    process(tmp_path, page(record(), record("0903.0443", title="")))
    _, told = report("--data", tmp_path / "data")
    assert told.startswith("Done: 1 paper came (1 new); 1 reject.")
    assert "! 1 reject, kept with its bytes: no title (1)" in told
    _, span = report("--last", "2d", "--data", tmp_path / "data")
    assert "1 reject" in span
    assert str(date.today() - timedelta(days=2)) not in span  # noqa: DTZ011  # not so long ago
