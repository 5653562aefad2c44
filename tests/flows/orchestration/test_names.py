"""What Prefect calls runs, and the tags that find them."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from flows.ingest.steps import fetching, numbered
from flows.jobs.rerun import RerunOptions
from flows.orchestration.names import (
    LONGEST,
    MOST_TAGS,
    backfill_name,
    backfill_tags,
    nightly_name,
    nightly_tags,
    rerun_name,
    rerun_tags,
)
from flows.sources.source import BackfillOptions as Options

DAY = date(2026, 11, 14)
SNAPSHOT = Path("/srv/arxiv-metadata-oai-snapshot.json")
BACKFILLS = {
    "backfill cs.LG": (Options(categories=["cs.LG"]), "arxiv cs.LG"),
    "backfill cs.LG 2026-11-14 to now": (Options(categories=["cs.LG"], first=DAY), "arxiv cs.LG"),
    "backfill all of arXiv the beginning to 2026-11-14": (
        Options(categories=["all"], until=DAY),
        "arxiv all",
    ),
    "backfill math, cs.LG, hep-th and 1 more": (
        Options(categories=["math", "cs.LG", "hep-th", "cs.AI"]),
        "arxiv math cs.LG hep-th cs.AI",
    ),
    "backfill snapshot arxiv-metadata-oai-snapshot.json": (Options(snapshot=SNAPSHOT), "snapshot"),
    "backfill snapshot arxiv-metadata-oai-snapshot.json cs.LG 2026-11-14 to 2026-11-14": (
        Options(snapshot=SNAPSHOT, categories=["cs.LG"], first=DAY, until=DAY),
        "snapshot cs.LG",
    ),
    "backfill search 'cat:cs.LG AND ti:attention'": (
        Options(search="cat:cs.LG AND ti:attention"),
        "arxiv search",
    ),
    "backfill all receipts with the current key": (Options(reissue=True), "reissue"),
    "backfill": (Options(), ""),
}
MANY = Options(raw=[Path(name) for name in ("/a/raw", "b", "c", "d", "e")])


@pytest.mark.parametrize("name", BACKFILLS)
def test_a_backfill_is_named_and_tagged_after_its_source(name: str) -> None:
    options, tags = BACKFILLS[name]
    assert backfill_name(options) == name
    assert backfill_tags(options) == ["backfill", *tags.split()]


def test_many_replies_are_named_by_the_first_few() -> None:
    assert backfill_name(MANY) == "backfill raw replies raw, b, c and 2 more"
    assert backfill_tags(MANY) == ["backfill", "raw"]


def test_a_night_is_named_after_the_day_it_was_scheduled_for() -> None:
    assert nightly_name(datetime(2026, 11, 21, 23, 59, tzinfo=UTC)) == "nightly 2026-11-21"
    assert nightly_tags([]) == ["nightly", "arxiv", "all"]
    assert nightly_tags(["cs.LG"]) == ["nightly", "arxiv", "cs.LG"]


def test_a_rerun_is_named_after_its_first_paper() -> None:
    one = RerunOptions(papers=["1906.10822"])
    assert rerun_name(one) == "rerun 1906.10822"
    three = RerunOptions(papers=["1906.10822", "b", "c"], reissue=True)
    assert rerun_name(three) == "rerun receipts of 1906.10822 and 2 more"
    assert (rerun_tags(one), rerun_tags(three)) == (["rerun", "arxiv"], ["rerun", "reissue"])


def test_whatever_the_options_are_there_is_a_short_printable_name() -> None:
    strange = Options(search="x\x1b[31m\u202e" * 500, categories=["\n" * 300] * 300)
    name = backfill_name(strange)
    assert name.isprintable()
    assert len(name) < 6 * LONGEST
    assert all(tag.isprintable() and len(tag) <= LONGEST for tag in backfill_tags(strange))
    tags = backfill_tags(Options(categories=[f"c{number}" for number in range(300)]))
    assert len(tags) == MOST_TAGS
    assert rerun_name(RerunOptions(papers=[])) == "rerun nothing"


def test_steps_say_which_pages_and_papers() -> None:
    assert numbered("page", 3, 3) == "page 3"
    assert numbered("paper", 2_001, 3_000) == "papers 2,001-3,000"
    assert fetching(["a"], 0, 1) == "fetch paper a"
    assert fetching(["a", "b"], 20, 2_000) == "fetch papers 21-22 of 2,000: a to b"
    assert fetching(["a"], 20, 21) == "fetch paper 21 of 21: a"
