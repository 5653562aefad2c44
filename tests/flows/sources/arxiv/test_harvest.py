"""A harvest proves that it is complete, whatever arXiv does meanwhile."""

import os
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime, timedelta
from importlib import metadata
from pathlib import Path
from random import Random

import pytest
from arxiv_server import (
    ArxivServer,
    CachedError,
    CutConnection,
    DropConnection,
    Fault,
    Forbidden,
    Garbage,
    Library,
    Redirect,
    Restamp,
    Seen,
    SlowFirstByte,
    Truncate,
    Unavailable,
    Vanish,
    make_library,
)
from support.runs import jobs
from support.runs.runs import assert_whole, config_for, rows, tree

from flows.common.errors import ArxivUnreachableError, ConfigError
from flows.common.limits import Limits, RetryPolicy
from flows.jobs.report import RunReport

pytestmark = pytest.mark.process

TODAY = datetime.now(UTC).date()
FIRST_DAY = TODAY - timedelta(days=24)
LIBRARY = make_library(5000, 7, FIRST_DAY, 25)
HURRY = Limits(retry=RetryPolicy(read_seconds=0.5))
"""Limits by which a reply is waited for less long than arXiv's, and asked for as often."""

RUNS = 200 if os.environ.get("FULL") else 30


def fresh() -> Library:
    return Library(LIBRARY.works())


def serve(library: Library, page_size: int = 20, id_page_size: int = 20_000) -> ArxivServer:
    return ArxivServer(library, today=TODAY, page_size=page_size, id_page_size=id_page_size)


def held(folder: Path) -> Counter[tuple[str, int]]:
    """Count the records of each id and version."""
    return Counter((row["arxiv_id"], row["version"]) for row in rows(folder, "bundles")
                   if row["event_count"] == 2)  # fmt: skip


def assert_exactly_once(folder: Path, library: Library, first: date, until: date | None) -> None:
    """Assert that each paper of the window was issued once, as arXiv has it now."""
    expected = {(work.id, work.newest.number) for work in library.select(first, until or TODAY)}
    found = held(folder)
    assert expected <= found.keys()
    assert set(found.values()) == {1}
    assert_whole(folder)


def harvest(folder: Path, server: ArxivServer, first: date, until: date | None = None) -> RunReport:
    return jobs.backfill_categories(config_for(folder, server, limits=HURRY), ["all"], first, until)


def test_the_whole_library_comes_and_is_proven_complete(tmp_path: Path) -> None:
    with serve(fresh(), page_size=700) as server:
        report = harvest(tmp_path, server, FIRST_DAY)
        (window,) = report.windows
        assert (window.listed, window.harvested, window.recovered) == (5000, 5000, 0)
        assert window.problem is None
        assert report.exit_status == 0
        assert_exactly_once(tmp_path, server.library, FIRST_DAY, None)
        assert {seen.headers["user-agent"] for seen in server.requests} == {
            f"pith-ingest/{metadata.version('pith-ingest')} (mailto:tests@example.org)"
        }


ONE_DAY = FIRST_DAY + timedelta(days=3)
FAULTS: dict[str, list[Fault]] = {
    "503 with Retry-After 0": [Unavailable("0")],
    "503 three times": [Unavailable(), Unavailable(), Unavailable()],
    "429": [Unavailable("0", status=429)],
    "500": [Unavailable(status=500)],
    "cut after a byte": [Truncate(1)],
    "cut in the middle": [Truncate(0.5)],
    "cut before the last byte": [Truncate(0.999)],
    "connection cut": [CutConnection(0.5)],
    "no reply": [DropConnection()],
    "slow": [SlowFirstByte(2)],
    "HTML": [Garbage("html")],
    "broken XML": [Garbage("broken")],
    "bad UTF-8": [Garbage("latin1")],
    "nothing": [Garbage("empty")],
    "papers vanish": [Vanish(3)],
    "papers change within the window": [Restamp(5, ONE_DAY)],
    "papers leave the window": [Restamp(5, TODAY)],
}


@pytest.mark.parametrize("verb", ["ListRecords", "ListIdentifiers"])
@pytest.mark.parametrize("name", FAULTS)
def test_each_fault_alone_loses_nothing(tmp_path: Path, name: str, verb: str) -> None:
    with serve(fresh()) as server:
        for fault in FAULTS[name]:
            server.order(fault, on=verb, skip=2 if verb == "ListRecords" else 0)
        report = harvest(tmp_path, server, ONE_DAY, ONE_DAY)
        assert report.windows[0].problem is None
        assert not server.pending
        assert_exactly_once(tmp_path, server.library, ONE_DAY, ONE_DAY)


def test_papers_that_change_between_pages_are_recovered_and_counted(tmp_path: Path) -> None:
    with serve(fresh()) as server:
        ids = {work.id for work in server.library.select(ONE_DAY, ONE_DAY)}
        server.order(Restamp(4, TODAY), on="ListRecords", skip=3)
        (window,) = harvest(tmp_path, server, ONE_DAY, ONE_DAY).windows
        assert (window.listed, window.moved) == (len(ids) - 4, 4)
        assert (window.harvested, window.recovered) == (len(ids) - 4, 4)
        assert_exactly_once(tmp_path, server.library, ONE_DAY, ONE_DAY)
        assert ids <= {arxiv_id for arxiv_id, _ in held(tmp_path)}


def test_what_vanished_is_counted_and_marked(tmp_path: Path) -> None:
    with serve(fresh()) as server:
        gone = []

        def remove_what_is_asked_for(seen: Seen) -> None:
            if seen.query["verb"] == "GetRecord":
                gone.append(seen.query["identifier"].removeprefix("oai:arXiv.org:"))
                server.library.remove(gone[-1])

        # One paper is never served; it is listed, and gone when asked for by its id.
        server.order(Restamp(1, TODAY), on="ListRecords", skip=2)
        server.on_request = remove_what_is_asked_for
        (window,) = harvest(tmp_path, server, ONE_DAY, ONE_DAY).windows
        assert (window.deleted, window.recovered, window.problem) == (1, 0, None)
        assert [row["arxiv_id"] for row in rows(tmp_path, "vanished")] == gone
        assert_exactly_once(tmp_path, server.library, ONE_DAY, ONE_DAY)


def test_a_list_of_several_pages_is_asked_for_until_it_stays_the_same(tmp_path: Path) -> None:
    with serve(fresh(), id_page_size=50) as server:
        server.order(Restamp(30, TODAY), on="ListIdentifiers", skip=1)
        (window,) = harvest(tmp_path, server, ONE_DAY, ONE_DAY).windows
        assert window.problem is None
        assert_exactly_once(tmp_path, server.library, ONE_DAY, ONE_DAY)
        asked = [seen for seen in server.requests if seen.query["verb"] == "ListIdentifiers"]
        assert len(asked) > 8


def test_an_answer_from_a_cache_hides_nothing(tmp_path: Path) -> None:
    with serve(fresh()) as server:
        server.order(CachedError("noRecordsMatch"), on="ListRecords")
        (window,) = harvest(tmp_path, server, ONE_DAY, ONE_DAY).windows
        assert (window.harvested, window.problem) == (0, None)
        assert window.recovered == window.listed > 0
        assert_exactly_once(tmp_path, server.library, ONE_DAY, ONE_DAY)


@pytest.mark.parametrize(
    "fault", [Forbidden(), Redirect("http://127.0.0.2/oai"), Unavailable("0")], ids=repr
)
def test_a_window_that_fails_is_named_and_goes_on_next_time(tmp_path: Path, fault: Fault) -> None:
    with serve(fresh()) as server:
        server.order(fault, on="ListRecords", skip=4, times=100)
        report = harvest(tmp_path, server, ONE_DAY, ONE_DAY)
        assert report.exit_status == 3
        assert f"NOT COMPLETE: all of arXiv, {ONE_DAY} to {ONE_DAY}" in report.lines()[-2]
        before = len(server.requests)
        server._plan = type(server._plan)()  # noqa: SLF001 - arXiv is well again
        again = harvest(tmp_path, server, ONE_DAY, ONE_DAY)
        assert again.windows[0].problem is None
        first = next(s for s in server.requests[before:] if s.query["verb"] == "ListRecords")
        assert "resumptionToken" in first.query
        assert_exactly_once(tmp_path, server.library, ONE_DAY, ONE_DAY)


def test_a_token_that_the_server_has_forgotten_begins_the_list_again(tmp_path: Path) -> None:
    with serve(fresh()) as server:
        server.order(CachedError("badResumptionToken"), on="ListRecords", skip=2)
        server.on_request = lambda _: server.clear_cache()
        (window,) = harvest(tmp_path, server, ONE_DAY, ONE_DAY).windows
        assert window.problem is None
        assert_exactly_once(tmp_path, server.library, ONE_DAY, ONE_DAY)


def test_a_list_that_can_never_be_continued_is_named_and_not_asked_for_without_end(
    tmp_path: Path,
) -> None:
    with serve(fresh()) as server:
        server.order(CachedError("badResumptionToken"), on="ListRecords", skip=2)
        report = harvest(tmp_path, server, ONE_DAY, ONE_DAY)
        assert report.exit_status == 1
        assert "badResumptionToken" in (report.windows[0].problem or "")
        # Identify, three pages of which the third is refused, and once more the three.
        assert len(server.requests) == 7
        server.clear_cache()
        assert harvest(tmp_path, server, ONE_DAY, ONE_DAY).windows[0].problem is None
        assert_exactly_once(tmp_path, server.library, ONE_DAY, ONE_DAY)


@pytest.mark.parametrize("seed", range(RUNS))
def test_faults_mixed_at_random_lose_nothing(tmp_path: Path, seed: int) -> None:
    choose = Random(seed)
    first = FIRST_DAY + timedelta(days=choose.randrange(20))
    until = choose.choice([None, first, first + timedelta(days=1)]) if seed % 5 else None
    first = first if until else TODAY - timedelta(days=1)
    with serve(fresh(), choose.choice([30, 60, 100]), choose.choice([80, 20_000])) as server:
        kinds = [fault for faults in FAULTS.values() for fault in faults]
        for _ in range(choose.randrange(1, 8)):
            verb = choose.choice(["ListRecords", "ListRecords", "ListIdentifiers", "GetRecord"])
            server.order(choose.choice(kinds), on=verb, skip=choose.randrange(6))
        report = harvest(tmp_path, server, first, until)
        for window in report.incomplete:
            assert f"NOT COMPLETE: {window.window}" in "\n".join(report.lines())
        if report.incomplete:
            report = harvest(tmp_path, server, first, until)
        assert not report.incomplete
        assert_exactly_once(tmp_path, server.library, first, until)


def test_a_window_whose_days_are_over_is_not_asked_for_again(tmp_path: Path) -> None:
    with serve(fresh()) as server:
        harvest(tmp_path, server, ONE_DAY, ONE_DAY)
        before, asked = tree(tmp_path), len(server.requests)
        report = harvest(tmp_path, server, ONE_DAY, ONE_DAY)
        assert report.windows[0].was_done
        assert tree(tmp_path) == before
        assert {s.query["verb"] for s in server.requests[asked:]} == {"Identify"}


def test_categories_are_harvested_by_their_sets(tmp_path: Path) -> None:
    with serve(fresh(), page_size=500) as server:
        config = config_for(tmp_path, server, limits=HURRY)
        jobs.backfill_categories(config, ["cs.LG", "hep-th"], FIRST_DAY)
        expected = {
            work.id
            for spec in ("cs:cs:LG", "physics:hep-th")
            for work in server.library.select(FIRST_DAY, TODAY, spec)
        }
        assert {arxiv_id for arxiv_id, _ in held(tmp_path)} == expected
        with pytest.raises(ConfigError, match=r"no category 'cs\.LGG'; did you mean cs\.LG\?"):
            jobs.backfill_categories(config, ["cs.LGG"])
        with pytest.raises(ConfigError, match="is later than"):
            jobs.backfill_categories(config, ["cs.LG"], TODAY, FIRST_DAY)
        for first, until in ((TODAY + timedelta(days=1), None), (None, date(2000, 1, 1))):
            with pytest.raises(ConfigError, match="days of change run from 2005-09-16"):
                jobs.backfill_categories(config, ["cs.LG"], first, until)


def test_a_search_gives_ids_and_oai_their_text(tmp_path: Path) -> None:
    with serve(fresh()) as server:
        config = config_for(tmp_path, server, limits=HURRY)
        report = jobs.backfill_search(config, "cat:quant-ph", limit=5)
        assert (report.counts.new_records, report.exit_status) == (5, 0)
        for row in rows(tmp_path, "papers"):
            work = server.library.get(row["arxiv_id"])
            assert work
            assert (row["title"], row["authors"]) == (work.title, work.authors)


def test_nightly_moves_its_watermark_only_when_complete(tmp_path: Path) -> None:
    with serve(fresh(), page_size=500) as server:
        config = config_for(tmp_path, server, limits=HURRY)
        assert jobs.nightly(config).counts.new_records == len(
            server.library.select(TODAY - timedelta(days=3), TODAY)
        )
        changed = server.library.select(TODAY, TODAY)[0]
        server.library.revise(changed.id, TODAY, title="Another title")
        report = jobs.nightly(config)
        assert (report.counts.new_records, report.exit_status) == (1, 0)
        assert_whole(tmp_path)


def test_a_night_without_any_paper_is_not_counted_as_done(tmp_path: Path) -> None:
    with serve(Library()) as server:
        report = jobs.nightly(config_for(tmp_path, server, limits=HURRY))
        assert report.exit_status == 1
        assert "no papers at all" in report.lines()[-2]


def test_rerun_asks_for_single_papers(tmp_path: Path) -> None:
    with serve(fresh()) as server:
        config = config_for(tmp_path, server, limits=HURRY)
        known = server.library.works()[0].id
        report = jobs.rerun(config, [known, "1906.10822"])
        assert report.counts.new_records == 1
        assert "idDoesNotExist" in report.failures["1906.10822"]
        assert jobs.rerun(config, [known]).counts.unchanged == 1


def test_arxiv_that_is_not_there_is_said_in_a_sentence(tmp_path: Path) -> None:
    twice = Limits(retry=RetryPolicy(read_seconds=0.5, attempts=2))
    with serve(Library()) as server:
        config = config_for(tmp_path, server, limits=twice)
    with pytest.raises(ArxivUnreachableError, match="no usable reply"):
        jobs.backfill_categories(config, ["all"])
    assert jobs.rerun(config, ["1906.10822"]).exit_status == 3
    assert jobs.nightly(config).exit_status == 3


HARVEST_SCRIPT = """
import sys
from datetime import date
from pathlib import Path
from flows.jobs.backfill import backfill
from flows.sources.source import BackfillOptions
day = date.fromisoformat(sys.argv[2])
options = BackfillOptions(
    categories=["all"], first=day, until=day, config_file=Path(sys.argv[1])
)
report = backfill(options)
sys.exit(report.exit_status)
"""


def test_killed_at_any_request_the_next_process_goes_on(tmp_path: Path) -> None:
    with serve(fresh(), page_size=40) as server:
        config = tmp_path / "config.yaml"
        config.write_text(
            f"data_dir: data\nidentity: {{key_file: signing.key}}\n"
            f"arxiv: {{oai_url: '{server.oai_url}', atom_url: '{server.atom_url}', "
            f"pace_seconds: 0, pace_file: pace.lock}}\n"
        )
        command = [sys.executable, "-c", HARVEST_SCRIPT, str(config), str(ONE_DAY)]
        for at in range(2, 14):
            child = subprocess.Popen(command)
            asked = iter(range(1, 1000))
            server.on_request = lambda _, c=child, a=asked, n=at: c.kill() if next(a) == n else None
            child.wait(timeout=60)
        server.on_request = None
        assert subprocess.run(command, timeout=60, check=False).returncode == 0
        assert_exactly_once(tmp_path, server.library, ONE_DAY, ONE_DAY)
