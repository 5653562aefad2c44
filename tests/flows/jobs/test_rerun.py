"""A rerun of single papers: what it takes, what it says, and that it is quick without Prefect."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from arxiv_server import ArxivServer, make_library
from support.commands.command import environment
from support.paths import ROOT
from support.runs import jobs
from support.runs.runs import assert_whole, config_for

from flows.common.errors import ConfigError
from flows.jobs.report import RunReport
from flows.store.catalog.catalog import Catalog
from flows.store.layout import Layout

pytestmark = pytest.mark.process

TODAY = datetime.now(UTC).date()
ONLY_NEWEST = "arXiv serves only the newest metadata, which is"
QUICK = 2.0
"""Seconds of the processor's time for a whole process; 0.4 were measured."""


@pytest.fixture
def server() -> Iterator[ArxivServer]:
    with ArxivServer(make_library(60, 3, TODAY - timedelta(2), 3), today=TODAY) as running:
        yield running


def rerun(folder: Path, server: ArxivServer, *references: str) -> RunReport:
    return jobs.rerun(config_for(folder, server), references)


def number_of(folder: Path, arxiv_id: str) -> str:
    catalog = Catalog.open(Layout(folder / "data").catalog, read_only=True)
    number = catalog.of_arxiv_id(arxiv_id)[-1].pith_number
    catalog.close()
    return number


def test_each_paper_has_a_line_on_what_is_new_and_what_stayed(
    tmp_path: Path, server: ArxivServer
) -> None:
    work = server.library.works()[0]
    name = f"{work.id}v{work.newest.number}"
    first = rerun(tmp_path, server, work.id)
    number = number_of(tmp_path, work.id)
    assert first.papers == [f"{name}  {number}  new record"]
    assert f"{name}  {number}  new record" in first.lines()
    assert rerun(tmp_path, server, name).papers == [f"{name}  {number}  unchanged"]
    server.library.add(replace(work, authors="A. Another"))
    assert rerun(tmp_path, server, number).papers == [f"{name}  {number}  new snapshot"]
    assert_whole(tmp_path)


def test_a_paper_named_in_several_ways_is_asked_for_once(
    tmp_path: Path, server: ArxivServer
) -> None:
    work = server.library.works()[0]
    rerun(tmp_path, server, work.id)
    number, before = number_of(tmp_path, work.id), len(server.requests)
    short = f"pith:{number.split(':')[2][:8]}"
    names = [work.id, f"https://arxiv.org/abs/{work.id}", f"doi:10.48550/arXiv.{work.id}", number]
    report = rerun(tmp_path, server, *names, short)
    assert (report.counts.unchanged, report.exit_status) == (1, 0)
    assert len(server.requests) == before + 1


def test_another_version_than_the_newest_is_explained(tmp_path: Path, server: ArxivServer) -> None:
    work = server.library.works()[0]
    rerun(tmp_path, server, work.id)
    old, was = number_of(tmp_path, work.id), work.newest.number
    newest = server.library.revise(work.id, TODAY, title="Another title").newest.number
    report = rerun(tmp_path, server, f"{work.id}v{was}", f"{work.id}v99", old)
    new = number_of(tmp_path, work.id)
    assert report.papers == [
        f"{work.id}v{newest}  {new}  new record",
        f"{work.id}: asked for v{was}, but {ONLY_NEWEST} v{newest}",
        f"{work.id}: asked for v99, which arXiv does not have; its newest is v{newest}",
    ]
    assert report.exit_status == 0


def test_what_is_not_found_is_a_failure_and_the_others_go_on(
    tmp_path: Path, server: ArxivServer
) -> None:
    known = server.library.works()[0].id
    report = rerun(tmp_path, server, "pith:ABCDEFGH", "1906.10822", known)
    assert "no record with this number" in report.failures["pith:ABCDEFGH"]
    assert "idDoesNotExist" in report.failures["1906.10822"]
    assert (report.counts.new_records, report.exit_status) == (1, 1)
    with pytest.raises(ConfigError, match="'attention' is not an arXiv id"):
        rerun(tmp_path, server, known, "attention")


def test_a_whole_process_is_quick_without_a_prefect_server(
    tmp_path: Path, server: ArxivServer
) -> None:
    command = [sys.executable, "-m", "flows.cli.main", "rerun", server.library.works()[0].id]
    taken = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            command, cwd=ROOT, env=environment(tmp_path, server), capture_output=True, text=True,
            timeout=60, check=True,
        )  # fmt: skip
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert "1 unchanged" in done.stdout
    # The processor's time, for other work on the machine takes none of that.
    assert min(taken) < QUICK


def test_a_rerun_imports_nothing_that_it_does_not_need() -> None:
    script = "import sys, flows.cli.main, flows.jobs.rerun; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    heavy = {"arxiv", "pandas", "polars", "prefect", "requests"}
    assert not set(done.stdout.split()) & heavy
