"""The template: what it issues are the bytes of the plain way, whatever the paper."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.bundles.signed_events import ISSUER, OTHER
from support.papers.golden_data import GOLDEN, Golden

from transforms import IssueTimes, Paper, Version, build_bundle, bundle_bytes
from transforms.bundle import template
from transforms.bundle.build import draft
from transforms.bundle.template import BundleTemplate
from transforms.encoding.canonical import compact_json_unchecked
from transforms.encoding.strict_json import read_json
from transforms.tables.rows import bundle_row, event_row

MOMENT = datetime(2026, 11, 21, 4, 5, 6, 789, tzinfo=UTC)
TEMPLATE = BundleTemplate(ISSUER, IssueTimes.at(MOMENT))

texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=900)
categories = st.lists(
    st.sampled_from(["cs.LG", "hep-th", "math.NT", "sample.AB"]), min_size=1, max_size=4
)


@st.composite
def papers(draw: st.DrawFn) -> Paper:
    first = draw(st.datetimes(datetime(1991, 1, 1), datetime(2030, 1, 1)))  # noqa: DTZ001 - see next
    last = draw(st.integers(1, 9999))
    return Paper(
        id=draw(st.sampled_from(["2201.00001", "math/0410603", "hep-th/9901001", "0704.0001"])),
        versions=tuple(
            Version(number, first.replace(tzinfo=UTC, microsecond=0)) for number in {1, last}
        ),
        title=draw(texts),
        abstract=draw(texts),
        authors=draw(texts),
        categories=tuple(draw(categories)),
        license=draw(st.just("") | texts),
    )


def plain_rows(paper: Paper, times: IssueTimes) -> list[object]:
    """Return the rows as they are made of objects."""
    bundle = build_bundle(paper, issuer=ISSUER, times=times)
    events = [event_row(event, arxiv_id=paper.id) for event in bundle["events"]]
    snapshot_sha256 = draft(paper).snapshot_sha256
    return [*events, bundle_row(bundle, snapshot_sha256=snapshot_sha256, issued_at=times.built_at)]


@settings(max_examples=300, deadline=None)
@given(papers())
def test_any_paper_comes_out_as_in_the_plain_way(paper: Paper) -> None:
    assert list(TEMPLATE.issue(draft(paper))) == plain_rows(paper, IssueTimes.at(MOMENT))


@pytest.mark.parametrize("golden", GOLDEN)
def test_the_golden_papers_too_at_seven_different_times(golden: Golden) -> None:
    times = IssueTimes(
        **{
            name: MOMENT + timedelta(hours=place)
            for place, name in enumerate(IssueTimes.__dataclass_fields__)
        }
    )
    issued = BundleTemplate(ISSUER, times).issue(draft(golden.paper))
    assert list(issued) == plain_rows(golden.paper, times)


def test_a_paper_that_is_the_sample_or_nearly() -> None:
    sample = template._SAMPLE  # noqa: SLF001 - the worst that can come
    changes: list[dict[str, Any]] = [
        {},
        {"title": '"'},
        {"versions": (Version(1, MOMENT),)},
        {"id": "2201.00001"},
    ]
    for change in changes:
        paper = replace(sample, **change)
        assert list(TEMPLATE.issue(draft(paper))) == plain_rows(paper, IssueTimes.at(MOMENT))


def test_a_format_with_more_that_differs_by_paper_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def with_authors(bundle: dict[str, object]) -> bytes:
        state = bundle["state"]
        assert isinstance(state, dict)
        shown = state["current"]["graph_snapshots"][0]["payload"]["graph_snapshot"]["paper"]
        return compact_json_unchecked({"authors": shown["authors_text"]} | bundle)

    monkeypatch.setattr(template, "bundle_bytes", with_authors)
    with pytest.raises(AssertionError, match="differs by paper in more"):
        BundleTemplate(OTHER, IssueTimes.at(MOMENT))


def test_its_bundles_are_read_back_as_they_were_built() -> None:
    paper = GOLDEN[0].paper
    *_, row = TEMPLATE.issue(draft(paper))
    bundle = build_bundle(paper, issuer=ISSUER, times=IssueTimes.at(MOMENT))
    assert read_json(row.bundle) == bundle
    assert row.bundle == bundle_bytes(bundle)
