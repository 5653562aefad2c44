"""What jobs, `status` and `doctor` print: on terminals of three widths, in a pipe, as JSON."""

import io
import json
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from rich.cells import cell_len
from rich.console import Console
from support.commands.terminal import ESCAPE, on_terminal, without_style
from support.hostile.text import IN_XML, assert_safe
from support.papers.oai_pages import page, record
from support.runs.runs import process

from flows.cli.app import app
from flows.cli.data.status.folder_status import FolderStatus, LastRun, OpenWindow
from flows.cli.data.status.screen import attention, blocks, said_time
from flows.cli.output.blocks import Block
from flows.cli.output.plain import plain_lines
from flows.cli.output.screen import laid_out
from flows.common.counts import Counts, counted, outcome
from flows.common.process.exit_status import ExitStatus
from flows.common.process.progress import LOGGER
from flows.common.terminal import Tone
from flows.ingest.run import InputFile, WindowOutcome
from flows.jobs.report import RunReport
from flows.sources.arxiv.harvest.coverage import Coverage, Hole, ProvenDays

WIDTHS = [40, 80, 200]
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
NIGHT = NOW - timedelta(hours=3, minutes=30)
COMMAND = "pith-ingest backfill --category all --from 2026-11-09 --until 2026-11-17"
RUN = "20261121T053000Z-nightly-7b32"
HOSTILE = f"[red]no[/red] {IN_XML}"


def on_screen(shown: Iterable[Block], width: int) -> list[str]:
    file = io.StringIO()
    console = Console(file=file, width=width, color_system="truecolor", force_terminal=True)
    console.print(laid_out(shown))
    text = without_style(file.getvalue())
    assert_safe(text)
    assert max(map(cell_len, text.splitlines())) <= width, text
    return text.splitlines()


def report(**given: Any) -> RunReport:
    return RunReport(
        run=RUN, job="nightly", started_at=NIGHT, finished_at=NOW,
        data_dir="data", key_fingerprint="2eb2c752", key_id="key", builder_version="0.2.0",
        **{"units": 1, "counts": Counts(papers=1, new_records=1), **given},
    )  # fmt: skip


WORST = report(
    units=1234,
    counts=Counts(papers=1234, new_records=1000, rejects=2, by_reason={HOSTILE: 1, "no title": 1}),
    failures={f"reply {HOSTILE}.xml": HOSTILE},
    windows=[
        WindowOutcome("cs.LG, 2026-11-14 to now", 1300, 1234, 3),
        WindowOutcome("all of arXiv, the beginning to now", problem=HOSTILE),
    ],
    coverage=["all of arXiv: NOT PROVEN from 2026-11-09 to 2026-11-17; this harvests it:",
              f"  {COMMAND}"],
    papers=["1906.10822v1  pith:2019:JUV2VY6FK23SMEDNHMW23VESQV  new record"],
    input_file=InputFile(HOSTILE, 10**9, "0f1e2d3c" * 8),
)  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
def test_a_runs_summary_fits_says_its_outcome_and_ends_with_what_needs_attention(
    width: int,
) -> None:
    lines = on_screen(WORST.toned_lines(), width)
    text = " ".join(" ".join(lines).split())
    outcome = "incomplete, 1 window to finish, 2 rejects, 1 unusable input: 1,234 papers"
    assert outcome in text
    assert "[red]no[/red]" in text
    assert text.endswith("'pith-ingest nightly' goes on where this run stopped")
    assert COMMAND in text
    if width >= 80:
        assert f"  {COMMAND}" in lines
        assert "  1,000 new records, 0 new snapshots, 0 unchanged" in lines
        assert "complete: cs.LG, 2026-11-14 to now: 1,300 listed, 1,234 harvested, 3" in text


def test_a_summarys_lines_are_those_of_its_report() -> None:
    assert WORST.lines() == list(plain_lines(WORST.toned_lines()))
    fenced = WORST.markdown().partition("```text\n")[2].partition("\n```")[0]
    assert fenced.splitlines() == [f"{WORST.summary}.", "", *WORST.lines()]


def test_a_summary_names_no_folder_of_bundles_where_none_is_written() -> None:
    assert "  bundles  data/bundles" in report().lines()
    assert "  bundles  in the tables alone" in report(has_files=False).lines()


OUTCOMES: dict[str, tuple[dict[str, Any], Tone]] = {
    "done: 1 paper of 1 reply": ({}, Tone.GOOD),
    "done, 1 reject: 9 papers of 1 reply, 2 of them withdrawn": (
        {"counts": Counts(papers=9, rejects=1, withdrawn=2)}, Tone.WARNING,
    ),
    "done, 2 rejects, 1 unusable input: 0 papers of 2 replies": (
        {"counts": Counts(rejects=2), "units": 2, "failures": {"x": "y"}}, Tone.WARNING,
    ),
    "incomplete, 1 window to finish: 1 paper of 1 reply": (
        {"windows": [WindowOutcome("w", problem="p")]}, Tone.BAD,
    ),
    "incomplete, arXiv could not be reached: 1 paper of 1 reply": (
        {"unreachable": "no"}, Tone.BAD,
    ),
    "incomplete, its input could not be read on: 1 paper of 1 reply": ({"stopped": "no"}, Tone.BAD),
    "incomplete, lines not accounted for: 1 paper of 1 reply": (
        {"counts": Counts(papers=1, lines=2), "input_file": InputFile("f", 1, "0")}, Tone.BAD,
    ),
}  # fmt: skip


@pytest.mark.parametrize("said", OUTCOMES)
def test_an_outcome_is_told_in_right_words_and_colour(said: str) -> None:
    given, tone = OUTCOMES[said]
    (headline,) = [line for line in report(**given).toned_lines() if line.text == said]
    assert headline.tone is tone
    assert bool(report(**given).troubles()) is (tone is not Tone.GOOD)


def test_numbers_have_their_nouns_in_the_right_number() -> None:
    assert [counted(1, nouns) for nouns in ("replies", "boxes", "papers", "categories")] == [
        "1 reply", "1 box", "1 paper", "1 category",
    ]  # fmt: skip
    assert [counted(n, "papers") for n in (0, 2, 1234)] == ["0 papers", "2 papers", "1,234 papers"]
    assert outcome(ExitStatus.PROBLEMS, rejects=1, failures=0, incomplete=2) == (
        "incomplete, 2 windows to finish, 1 reject"
    )


RAN: dict[str, Any] = {
    "is_complete": True, "job": "nightly", "started_at": NIGHT, "exit_status": 1, "papers": 1234,
    "new_records": 1000, "new_snapshots": 4, "unchanged": 230, "rejects": 3,
}  # fmt: skip


def folder(**given: Any) -> FolderStatus:
    ran = LastRun(RUN, "done, 3 rejects", **RAN)
    return FolderStatus(
        **{
            "folder": "data", "records": 1234, "rejects": 1, "shards": 2, "vanished": 1,
            "coverage": [
                Coverage(
                    "all",
                    [ProvenDays(date(2005, 9, 16), date(2026, 11, 8)),
                     ProvenDays(date(2026, 11, 18), date(2026, 11, 20))],
                    [Hole(date(2026, 11, 9), date(2026, 11, 17), COMMAND)],
                ),
                Coverage("cs.LG", [], [Hole(None, None, "pith-ingest backfill --category cs.LG")]),
            ],
            "runs": [ran, LastRun(RUN, "its report cannot be read")],
            "open_windows": [
                OpenWindow(
                    "cs.LG, 2026-11-14 to now", "cs.LG", date(2026, 11, 14), None, 1,
                    all_pages_came=False, begun=date(2026, 11, 20),
                    command="pith-ingest backfill --category cs.LG",
                )
            ],
            "shards_without_files": 1,
            **given,
        }
    )  # fmt: skip


def test_status_says_what_there_is_first_and_what_to_do_last() -> None:
    assert on_screen(blocks(folder(), NOW), 80) == [
        "1,234 records, 1 reject, 2 shards, 1 paper vanished in data",
        "last run: nightly, last night 05:30 UTC: done, 3 rejects; 1,234 papers",
        "category      proven from    up to",
        "all of arXiv  the beginning  2026-11-08",
        "all of arXiv  2026-11-18     2026-11-20",
        "run                            outcome                    papers    new  changed",
        "20261121T053000Z-nightly-7b32  done, 3 rejects             1,234  1,000        4",
        "20261121T053000Z-nightly-7b32  its report cannot be read",
        "all of arXiv: NOT PROVEN from 2026-11-09 to 2026-11-17; this harvests it:",
        f"  {COMMAND}",
        "cs.LG: nothing is proven; this harvests it:",
        "  pith-ingest backfill --category cs.LG",
        "NOT COMPLETE: cs.LG, 2026-11-14 to now: 1 page came since 2026-11-20:",
        "  pith-ingest backfill --category cs.LG",
        "bundle files of 1 shard may be missing; the next run writes them",
    ]


@pytest.mark.parametrize("width", WIDTHS)
def test_status_fits_whatever_it_has_to_say(width: int) -> None:
    on_screen(blocks(folder(), NOW), width)
    on_screen(blocks(folder(folder=HOSTILE, runs=[LastRun(HOSTILE, HOSTILE)]), NOW), width)
    shown = on_screen(blocks(folder(faults=[HOSTILE, "gone"]), NOW), width)
    assert shown[-1] != "gone"  # what needs attention comes with it
    assert "records" not in " ".join(shown)


def test_a_quiet_status_says_only_what_needs_attention() -> None:
    everything = on_screen(blocks(folder(), NOW), 80)
    assert on_screen(attention(folder()), 80) == everything[8:]
    well = folder(coverage=[], open_windows=[], shards_without_files=0)
    assert list(attention(well)) == []


def test_statuss_document_has_days_as_text_and_names_for_all() -> None:
    document = msgspec.to_builtins(folder())
    assert document["coverage"][0] == {
        "category": "all",
        "proven": [
            {"first": "2005-09-16", "last": "2026-11-08"},
            {"first": "2026-11-18", "last": "2026-11-20"},
        ],
        "holes": [{"first": "2026-11-09", "last": "2026-11-17", "command": COMMAND}],
    }


def test_times_are_said_as_a_person_says_them() -> None:
    day = timedelta(days=1)
    assert said_time(NIGHT, NOW) == "today 05:30 UTC"
    assert said_time(NIGHT - day, NOW, is_night=True) == "yesterday 05:30 UTC"
    assert said_time(NIGHT - 2 * day, NOW) == "19 Nov 05:30 UTC"
    assert said_time(NIGHT - 365 * day, NOW) == "2025-11-21 05:30 UTC"
    assert said_time(NIGHT + day, NOW) == "22 Nov 05:30 UTC"


@pytest.fixture
def asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, str]]:
    """Give a function that runs a command in this process, for its exit status and output."""
    monkeypatch.setenv("PREFECT_API_URL", "")
    monkeypatch.setenv("PITH_IDENTITY__KEY_FILE", str(tmp_path / "signing.key"))
    level = LOGGER.level

    def ask(*words: str) -> tuple[int, str]:
        capsys.readouterr()
        status = app([*words, "--data", str(tmp_path / "data")], standalone_mode=False)
        LOGGER.setLevel(level)
        return status or 0, capsys.readouterr().out

    return ask


@pytest.fixture
def reply(tmp_path: Path) -> str:
    file = tmp_path / "reply.xml"
    file.write_bytes(page(record(title=HOSTILE), record("2201.00001", title="")))
    return str(file)


def test_a_job_answers_in_a_pipe_quietly_or_in_json(
    asked: Callable[..., tuple[int, str]], reply: str, tmp_path: Path
) -> None:
    words = ["backfill", "--raw", reply]
    status, piped = asked(*words)
    assert (status, ESCAPE in piped) == (1, False)
    assert piped.startswith("done, 1 reject: 1 paper of 1 reply\n")
    assert asked(*words, "--quiet")[1].splitlines()[1:] == ["  1: no title"]
    document = json.loads(asked(*words, "--json")[1])
    kept = tmp_path / "data" / "runs" / document["run"] / "report.json"
    assert document == json.loads(kept.read_text())
    assert (document["outcome"], document["exit_status"]) == ("done, 1 reject", 1)


def test_the_doctor_answers_in_a_pipe_quietly_or_in_json(
    asked: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    process(tmp_path, page(record()))
    assert asked("doctor") == (0, f"{tmp_path}/data: 2 commits, 2 shards: all is well\n")
    assert asked("doctor", "-q") == (0, "")
    (bundle,) = (tmp_path / "data" / "bundles").rglob("*.json")
    bundle.unlink()
    status, text = asked("-q", "doctor")
    fault, remedy = text.splitlines()
    assert (status, remedy) == (1, "  pith-ingest doctor --repair")
    assert fault.startswith(f"{bundle.parent} lacks 1 bundle file, such as that of pith:2009:")
    document = json.loads(asked("doctor", "--json")[1])
    assert (document["commits"], document["mended"]) == (2, [])
    assert [fault["where"] for fault in document["faults"]] == [str(bundle.parent)]
    mended = json.loads(asked("doctor", "--repair", "--json")[1])
    assert (mended["mended"], mended["faults"]) == (["wrote 1 bundle file again"], [])


@pytest.mark.process
def test_a_real_job_and_status_on_real_terminals(tmp_path: Path, reply: str) -> None:
    data = ["--data", str(tmp_path / "data")]
    status, text = on_terminal(tmp_path, "backfill", "--raw", reply, *data, width=80)
    assert status == 1
    assert "\x1b[33mdone, 1 reject: 1 paper of 1 reply\x1b[0m\n" in text
    status, text = on_terminal(tmp_path, "status", *data, width=40)
    assert (status, ESCAPE in text) == (0, True)
    assert_safe(without_style(text))
    assert max(map(cell_len, without_style(text).splitlines())) <= 40
    _, plain = on_terminal(tmp_path, "status", *data, width=40, env={"NO_COLOR": "1"})
    assert plain == without_style(text)
