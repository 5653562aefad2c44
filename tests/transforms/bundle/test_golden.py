"""The test of all this: five published bundles come out byte for byte (spec, section 6)."""

import json

import pytest
from support.papers.golden_data import GOLDEN, Golden, paper_of
from support.paths import SHARED

from transforms import build_bundle, bundle_bytes, canonical_record, merge, pith_number

PUBLISHED = SHARED / "golden" / "published.jsonl"
each_golden = pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.id)


def test_there_are_five() -> None:
    assert len(GOLDEN) == 5


@each_golden
def test_builder_returns_the_published_file_byte_for_byte(golden: Golden) -> None:
    built = build_bundle(golden.paper, issuer=golden.issuer, times=golden.times)
    assert bundle_bytes(built) == golden.data


@each_golden
def test_record_and_number_are_the_published_ones(golden: Golden) -> None:
    record = canonical_record(golden.paper)
    assert record == golden.bundle["canonical_record"]
    assert pith_number(record) == golden.metadata["pith_number"]


@each_golden
def test_published_events_merge_to_the_published_state(golden: Golden) -> None:
    bundle = golden.bundle
    state = merge(
        [*reversed(bundle["events"]), *bundle["events"]],
        number=bundle["pith_number"],
        public_keys=bundle["public_keys"],
        source_aliases=bundle["source_aliases"],
    )
    assert json.dumps(state) == json.dumps(bundle["state"])


@pytest.mark.skipif(not PUBLISHED.exists(), reason=f"the published numbers are not at {PUBLISHED}")
def test_ninety_published_papers_get_their_numbers() -> None:
    lines = [json.loads(line) for line in PUBLISHED.read_text().splitlines()]
    wrong = [
        line["id"]
        for line in lines
        if pith_number(canonical_record(paper_of(line))) != line["pith_number"]
    ]
    assert (len(lines), wrong) == (90, [])
