"""A harvest takes as long as its requests or its processing, whichever is longer, not both."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from arxiv_server import ArxivServer, make_library
from arxiv_server.papers.plan import Seen
from support.runs import jobs
from support.runs.runs import assert_whole, config_for

from flows.common.config import Config
from flows.ingest.commit import process_reply
from flows.ingest.run import UnitResult
from flows.sources.arxiv.connection import connect
from flows.sources.arxiv.harvest import pages
from flows.store.catalog.window import Window

pytestmark = pytest.mark.long

TODAY = datetime.now(UTC).date()
DAY = TODAY - timedelta(days=1)
PAGES, PAGE, PACE = 100, 4, 0.05
AT_MOST, ATTEMPTS = 1.05, 6


@pytest.fixture
def server() -> Iterator[ArxivServer]:
    library = make_library(PAGES * PAGE, 7, DAY, 1)
    with ArxivServer(library, today=TODAY, page_size=PAGE) as running:
        yield running


def fetch_alone(config: Config) -> None:
    """Make the requests of a harvest, and nothing of what it is for."""
    window, token = Window(None, DAY, DAY), None
    with connect(config) as client:
        client.identify()
        while token != "":
            token = client.records_page(window, token).value.resumption_token or ""
        client.identifiers_page(window)


def harvest_all(config: Config) -> None:
    assert jobs.backfill_categories(config, ["all"], DAY, DAY).counts.new_records == PAGES * PAGE


def span(server: ArxivServer, work: Callable[[], object]) -> float:
    """Return the seconds from the first to the last request for a page."""
    moments: list[float] = []

    def note(seen: Seen) -> None:
        if seen.query["verb"] == "ListRecords":
            moments.append(time.perf_counter())

    server.on_request = note
    work()
    assert len(moments) == PAGES
    return moments[-1] - moments[0]


@pytest.fixture
def processing(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Let each twelfth page take six paces longer, and note the seconds of each."""
    took: list[float] = []

    def process_slowly(*arguments: Any, **named: Any) -> UnitResult:
        started = time.perf_counter()
        if len(took) % 12 == 6:
            Event().wait(6 * PACE)
        result = process_reply(*arguments, **named)
        took.append(time.perf_counter() - started)
        return result

    monkeypatch.setattr(pages, "process_reply", process_slowly)
    return took


def test_a_hundred_pages_are_asked_for_as_fast_as_without_processing_them(
    tmp_path: Path, server: ArxivServer, processing: list[float]
) -> None:
    ratios: list[float] = []
    while len(ratios) < ATTEMPTS and min(ratios, default=9.0) > AT_MOST:
        folder = tmp_path / str(len(ratios))
        folder.mkdir()
        config = config_for(folder, server)
        arxiv = config.arxiv.model_copy(update={"pace_seconds": PACE})
        config = config.model_copy(update={"arxiv": arxiv})
        alone = span(server, partial(fetch_alone, config))
        processing.clear()
        # On a busy machine processing may be the longer of the two.
        ratios.append(span(server, partial(harvest_all, config)) / max(alone, sum(processing)))
        assert alone > PACE * (PAGES - 1)
        assert_whole(folder)
    # The best of some: others' work on the machine only adds.
    assert min(ratios) <= AT_MOST, ratios
