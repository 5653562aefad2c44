"""A dry run says what a backfill would do, asks little, and writes nothing."""

import gzip
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from arxiv_server import ArxivServer, Forbidden, make_library
from support.commands.command import environment, run
from support.papers.snapshot_rows import text
from support.runs import jobs
from support.runs.runs import SAMPLE, config_for, tree

from flows.common.config import Config
from flows.common.errors import ConfigError, InputFileError
from flows.jobs.dry_run import plan_backfill
from flows.sources.plan import Plan
from flows.sources.source import BackfillOptions

pytestmark = pytest.mark.process

TODAY = datetime.now(UTC).date()
FIRST_DAY = TODAY - timedelta(days=9)


@pytest.fixture
def server() -> Iterator[ArxivServer]:
    library = make_library(3000, 5, FIRST_DAY, 10)
    with ArxivServer(library, today=TODAY) as running:
        yield running


def planned(config: Config, **arguments: Any) -> Plan:
    return plan_backfill(config, BackfillOptions(**arguments))


def plan(config: Config, **arguments: Any) -> list[str]:
    return planned(config, **arguments).lines


def test_a_snapshot_that_is_one_json_array_is_named_before_it_is_read(
    tmp_path: Path, server: ArxivServer
) -> None:
    file = tmp_path / "array.json"
    file.write_text('[{"id": "2201.00001"}]')
    with pytest.raises(InputFileError, match="is one JSON array"):
        plan(config_for(tmp_path, server), snapshot=file)


def number(text: str) -> int:
    """Return the number that a text begins with, such as 1,234."""
    return int(text.split(maxsplit=1)[0].replace(",", ""))


def test_a_harvest_is_estimated_with_one_request_for_each_window(
    tmp_path: Path, server: ArxivServer
) -> None:
    config = config_for(tmp_path, server)
    found = planned(config, categories=["all"], first=FIRST_DAY, until=TODAY)
    lines = found.lines
    papers = sum(number(line.split(": ")[1]) for line in lines[:-1])
    assert papers == found.papers == sum(each.papers or 0 for each in found.windows) == 3000
    asked = len(server.requests)
    assert asked == 1 + len(lines[:-1])
    assert not (tmp_path / "data").exists()
    assert not config.identity.key_file.exists()
    jobs.backfill_categories(config, ["all"], FIRST_DAY, TODAY)
    assert lines[-1].startswith(f"about {len(server.requests) - asked} requests to arXiv, ")
    assert found.requests == len(server.requests) - asked
    assert (found.windows[0].category, found.windows[0].state) == ("all", "new")
    assert (found.windows[0].first, found.windows[-1].until) == (FIRST_DAY, None)


def test_a_list_of_several_pages_is_estimated_by_its_days(tmp_path: Path) -> None:
    # Within one year, so that it is one window.
    first = date(2025, 3, 1)
    library = make_library(3000, 5, first, 10)
    with ArxivServer(library, today=TODAY, id_page_size=1500) as server:
        config = config_for(tmp_path, server)
        last = date(2025, 3, 10)
        found = planned(config, categories=["all"], first=first, until=last)
        line, _ = found.lines
        assert [each.is_estimate for each in found.windows] == [True]
    about = number(line.partition("about ")[2])
    assert "more than 1,500 papers" in line
    assert 2500 < about < 3500


def test_what_was_done_or_begun_is_said(tmp_path: Path) -> None:
    first, last = date(2025, 3, 1), date(2025, 3, 10)
    with ArxivServer(make_library(300, 5, first, 10), today=TODAY, page_size=40) as server:
        config = config_for(tmp_path, server)
        window = {"categories": ["all"], "first": first, "until": last}
        server.order(Forbidden(), on="ListRecords", skip=3, times=100)
        assert jobs.backfill_categories(config, ["all"], first, last).exit_status == 3
        before = tree(tmp_path, without=())
        begun = planned(config, **window)
        assert "300 papers; 1 page, going on after page 3" in begun.lines[0]
        assert [(each.state, each.papers) for each in begun.windows] == [("begun", 300)]
        assert tree(tmp_path, without=()) == before
        server._plan = type(server._plan)()  # noqa: SLF001 - arXiv is well again
        jobs.backfill_categories(config, ["all"], first, last)
        assert plan(config, **window)[0].startswith("done before: all of arXiv, 2025-03-01")
        done = planned(config, **window)
        assert done.lines[1].startswith("about 1 request to arXiv, one in 0 s: at least")
        assert [(w.state, w.papers, w.requests) for w in done.windows] == [("done", None, 0)]


def test_a_search_is_asked_how_much_it_finds(tmp_path: Path, server: ArxivServer) -> None:
    config = config_for(tmp_path, server)
    lines = plan(config, search="cat:quant-ph", limit=5)
    assert lines[0].endswith(" papers, of which 5 would be taken")
    assert lines[1].startswith("about 6 requests to arXiv, one in 0 s")
    assert len(server.requests) == 1
    nothing = plan(config, search="ti:nosuchwordatall")
    assert nothing[0] == "the search finds 0 papers, of which 0 would be taken"


def zipped(data: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("arxiv-metadata-oai-snapshot.json", data)
    return file.getvalue()


ROWS = text("2201.00001", "2201.00002") + b" " * 1_000_000
PACKED = {"plain": ROWS, "zip": zipped(ROWS), "gzip": gzip.compress(ROWS)}


@pytest.mark.parametrize("how", PACKED)
def test_a_snapshot_and_saved_replies_take_no_request(
    tmp_path: Path, server: ArxivServer, how: str
) -> None:
    config = config_for(tmp_path, server)
    file = tmp_path / "snapshot"
    file.write_bytes(PACKED[how])
    rows = len(PACKED[how]) * 3 // 1700 if how == "gzip" else len(ROWS) // 1700
    lines = plan(config, snapshot=file, categories=["cs"], first=FIRST_DAY)
    size = len(PACKED[how])
    assert lines == [
        f"Kaggle's snapshot, {size} bytes: about {rows} rows of 1700 bytes each",
        f"of these only the papers of cs, changed {FIRST_DAY} to now",
        "no request to arXiv",
    ]
    assert plan(config, raw=[SAMPLE])[0].startswith("1 file of saved replies, ")
    assert not server.requests


def test_wrong_use_is_refused_as_without_a_dry_run(tmp_path: Path, server: ArxivServer) -> None:
    config = config_for(tmp_path, server)
    with pytest.raises(ConfigError, match="name one source"):
        plan(config)
    with pytest.raises(ConfigError, match="is later than"):
        plan(config, categories=["all"], first=TODAY, until=FIRST_DAY)
    with pytest.raises(ConfigError, match=r"did you mean cs\.LG"):
        plan(config, categories=["cs.LGG"])
    with pytest.raises(ConfigError, match="needs a query"):
        plan(config, search=" ")
    with pytest.raises(InputFileError, match="No such file"):
        plan(config, snapshot=tmp_path / "nowhere.json")


def test_the_command_prints_the_plan_and_writes_nothing(tmp_path: Path) -> None:
    done = run(tmp_path, "backfill", "--raw", SAMPLE, "--dry-run", "--data", tmp_path / "data")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("no request to arXiv\n")
    assert list(tmp_path.iterdir()) == []


def test_as_json_the_plan_is_a_document_of_numbers(tmp_path: Path, server: ArxivServer) -> None:
    env = environment(tmp_path, server) | {"PITH_ARXIV__PACE_SECONDS": "0.5"}
    days = ("--from", "2025-03-01", "--until", "2025-03-10")
    words = ("backfill", "--category", "all", *days, "--dry-run", "--json")
    done = run(tmp_path, *words, "--data", tmp_path / "data", **env)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    (window,) = document.pop("windows")
    assert window == {
        "category": "all", "first": "2025-03-01", "until": "2025-03-10", "state": "new",
        "papers": 0, "is_estimate": False, "requests": 2, "seconds": 1.0,
    }  # fmt: skip
    assert len(document.pop("lines")) == 2
    assert document == {"papers": 0, "requests": 3, "seconds": 1.5}
