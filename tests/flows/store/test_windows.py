"""What the catalog remembers of windows: their papers' days, and what complete ones prove."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.sources.arxiv.harvest.coverage import coverage_lines, night_windows, sets_of_interest
from flows.sources.arxiv.sets import category_of, likely_set
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.days import EARLIEST, Days
from flows.store.catalog.records import Commit
from flows.store.catalog.window import Window
from flows.store.catalog.windows import DoneWindow, How, WindowLog
from flows.store.layout import Layout
from flows.store.ledger import Entry, read_entry
from flows.store.parquet.schema import SCHEMAS
from flows.store.parquet.shards import ShardName, make_marks
from flows.store.repair.rebuild import rebuild_catalog

NOW = datetime(2026, 11, 21, 5, tzinfo=UTC)
TODAY = NOW.date()
YESTERDAY = TODAY - timedelta(days=1)
FIRST = TODAY - timedelta(days=9)


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    with closing(Catalog.create(tmp_path / "catalog.sqlite", "folder")) as opened:
        yield opened


@pytest.fixture
def log(catalog: Catalog) -> WindowLog:
    return catalog.windows


def prove(catalog: Catalog, *windows: DoneWindow) -> None:
    unit, head = f"window-{len(catalog.shard_names())}", catalog.head()
    shard = ShardName(f"{unit}-0", unit, "run", "folder")
    entry = Entry(head.number + 1, head.sha256, "folder", NOW, "run", shard.name, unit)
    catalog.commit(Commit(shard, windows=windows), read_entry(entry.to_bytes()))


def done(
    set_spec: str | None, first: date | None, until: date | None, listed: int = 1
) -> DoneWindow:
    return DoneWindow(Window(set_spec, first, until), NOW, NOW, listed)


def test_of_a_paper_the_newest_form_counts_and_how_that_one_came(log: WindowLog) -> None:
    progress = log.resume(Window(None, FIRST), NOW)
    log.advance(progress, {"2201.00001": FIRST, "2201.00002": TODAY, "2201.00003": None})
    log.advance(progress, {"2201.00001": TODAY, "2201.00002": FIRST}, How.RECOVERED)
    listed = dict.fromkeys(["2201.00001", "2201.00002", "2201.00003", "2201.00004"], TODAY)
    # One came without a day that could be read, one not at all.
    assert log.missing(progress, listed) == {"2201.00003": TODAY, "2201.00004": TODAY}
    assert log.counts(progress) == {How.HARVESTED: 2, How.RECOVERED: 1, How.VANISHED: 0}
    log.advance(progress, {"2201.00001": None, "2201.00004": None}, How.VANISHED)
    log.advance(progress, {"2201.00003": TODAY}, How.RECOVERED)
    assert log.missing(progress, listed) == {}
    assert log.counts(progress) == {How.HARVESTED: 1, How.RECOVERED: 1, How.VANISHED: 2}
    log.advance(progress, {"2201.00004": TODAY}, How.RECOVERED)
    assert log.counts(progress) == {How.HARVESTED: 1, How.RECOVERED: 2, How.VANISHED: 1}


def test_the_day_on_which_a_window_was_listed_is_not_proven(catalog: Catalog) -> None:
    prove(catalog, done(None, FIRST, None))
    assert catalog.windows.proven(None) == [Days(FIRST, YESTERDAY)]
    prove(catalog, done("cs:cs", TODAY, None))
    assert catalog.windows.proven("cs:cs") == [Days(FIRST, YESTERDAY)]


def test_only_a_window_with_an_end_proves_anything_by_being_empty(catalog: Catalog) -> None:
    prove(catalog, done(None, FIRST, None, listed=0))
    assert catalog.windows.proven(None) == []
    prove(catalog, done(None, FIRST, FIRST, listed=0))
    assert catalog.windows.proven(None) == [Days(FIRST, FIRST)]


def test_windows_under_way_end_with_their_days_and_no_others_do(catalog: Catalog) -> None:
    log = catalog.windows
    for window in (
        Window(None, FIRST),
        Window("cs:cs:LG", FIRST, YESTERDAY),
        Window("cs:cs:LG", FIRST - timedelta(days=1), YESTERDAY),
        Window("physics:hep-th", FIRST),
    ):
        log.advance(log.resume(window, NOW), {"2201.00001": FIRST})
    prove(catalog, done("cs:cs", FIRST, None))
    assert [str(progress.window) for progress in log.open_windows()] == [
        f"all of arXiv, {FIRST} to now",
        f"cs:cs:LG, {FIRST - timedelta(days=1)} to {YESTERDAY}",
        f"physics:hep-th, {FIRST} to now",
    ]
    prove(catalog, done(None, FIRST, YESTERDAY))
    (left,) = log.open_windows()
    assert log.counts(left)[How.HARVESTED] == 1


def test_a_night_goes_back_before_the_proven_days_of_any_set_that_holds_its_own(
    catalog: Catalog,
) -> None:
    log, overlap = catalog.windows, 3
    assert night_windows(log, "cs:cs:LG", TODAY, overlap) == [
        Window("cs:cs:LG", TODAY - timedelta(days=3))
    ]
    prove(catalog, done(None, EARLIEST, FIRST))
    assert night_windows(log, "cs:cs:LG", TODAY, overlap) == [
        Window("cs:cs:LG", FIRST - timedelta(days=2))
    ]
    # A clock that was fast, or is slow now, leads to no day that has not come.
    assert night_windows(log, None, FIRST - timedelta(days=5), overlap) == [
        Window(None, FIRST - timedelta(days=8))
    ]


def test_no_night_begins_before_arxivs_first_day(catalog: Catalog) -> None:
    prove(catalog, done(None, EARLIEST, EARLIEST))
    windows = night_windows(catalog.windows, None, TODAY, 3)
    assert (windows[0].first, windows[-1].first) == (EARLIEST, date(TODAY.year, 1, 1))
    assert [window.until is None for window in windows] == [False] * 21 + [True]


def test_what_is_not_proven_is_said_with_the_command_that_harvests_it(catalog: Catalog) -> None:
    day = timedelta(days=1)
    prove(catalog, done("cs:cs", FIRST, FIRST), done("cs:cs:LG", FIRST + 3 * day, None))
    command = "  pith-ingest backfill --category"
    first, last = FIRST + day, FIRST + 2 * day
    assert list(coverage_lines(catalog.windows, ["cs:cs:LG", None])) == [
        f"cs.LG: complete from {FIRST} up to {FIRST}",
        f"cs.LG: complete from {FIRST + 3 * day} up to {YESTERDAY}",
        f"cs.LG: nothing before {FIRST} is proven; this harvests it:",
        f"{command} cs.LG --until {FIRST - day}",
        f"cs.LG: NOT PROVEN from {first} to {last}; this harvests it:",
        f"{command} cs.LG --from {first} --until {last}",
        "all of arXiv: nothing is proven; this harvests it:",
        f"{command} all",
    ]


def test_the_sets_of_interest_are_those_configured_and_those_ever_harvested(
    catalog: Catalog,
) -> None:
    prove(catalog, done("physics:hep-th", FIRST, None))
    catalog.windows.resume(Window("cs:cs:CV", FIRST), NOW)
    ever: list[str | None] = ["cs:cs:CV", "physics:hep-th"]
    assert sets_of_interest(catalog.windows, []) == [None, *ever]
    assert sets_of_interest(catalog.windows, ["cs.LG", "hep-th"]) == [
        "cs:cs:LG", "physics:hep-th", "cs:cs:CV",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("category", "set_spec"),
    [
        ("cs.LG", "cs:cs:LG"),
        ("cs", "cs:cs"),
        ("astro-ph.CO", "physics:astro-ph:CO"),
        ("physics:astro-ph:CO", "physics:astro-ph:CO"),
        ("hep-th", "physics:hep-th"),
    ],
)
def test_a_category_is_the_set_that_was_harvested_of_it_or_of_its_archive(
    category: str, set_spec: str
) -> None:
    for harvested in (["cs:cs:LG", "physics:astro-ph", "physics:hep-th"], [set_spec, "cs:cs"]):
        assert likely_set(category, harvested) == set_spec
    assert category_of(set_spec) == category or ":" in category


OLD_SCHEMA = pa.schema(
    [field for field in SCHEMAS["windows"] if field.name != "listed_at"]
    + [pa.field("watermark", pa.date32())]
)


def old_shard(layout: Layout, number: int, listed: int, watermark: date | None) -> None:
    """Write the shard of an open window as pith-ingest 0.1.0 did."""
    shard = ShardName(f"window-{number}-0", f"window-{number}", "run", "")
    first = FIRST + timedelta(days=number)
    row = ["", first, None, NOW, listed, listed, 0, 0, 0, watermark]
    columns = dict(zip(OLD_SCHEMA.names, ([value] for value in row), strict=True))
    path = layout.root / layout.shard("windows", shard.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    marks = make_marks(shard, ["windows"])
    pq.write_table(pa.table(columns, OLD_SCHEMA.with_metadata(marks)), path)


def test_shards_of_the_first_version_prove_what_was_over_when_their_windows_began(
    tmp_path: Path,
) -> None:
    """A watermark was the night's own day, and noted for an empty list too."""
    layout = Layout(tmp_path)
    old_shard(layout, 1, listed=0, watermark=None)
    old_shard(layout, 2, listed=7, watermark=TODAY + timedelta(days=2))
    assert rebuild_catalog(layout) == 2
    with closing(Catalog.open(layout.catalog, read_only=True)) as catalog:
        assert catalog.windows.proven(None) == [Days(FIRST + timedelta(days=2), YESTERDAY)]
