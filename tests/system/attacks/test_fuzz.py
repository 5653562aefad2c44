"""What is read from outside gets an answer or a documented error, whatever it is."""

import json
import os
from copy import deepcopy
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.bundles.signed_events import KEYS, NUMBER
from support.papers.golden_data import GOLDEN
from support.papers.oai_pages import page, record
from support.papers.snapshot_rows import line, older_row, row

from transforms import BadPaperError, CanonicalError, Paper, canonical_json, merge
from transforms.encoding.canonical import (
    canonical_json_unchecked,
    compact_json_unchecked,
    refuse_ambiguous,
)
from transforms.encoding.strict_json import NotStrictJsonError, read_json
from transforms.parsing.arxiv_xml import parse_page
from transforms.parsing.kaggle import parse_line
from transforms.parsing.oai_xml import OaiError, PageError
from transforms.verify.text_hashes import texts_of_line
from transforms.verify.verify import verify_bundle

EXAMPLES = 5_000 if os.environ.get("FULL") else 150
fuzzed = settings(
    max_examples=EXAMPLES, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
surprises = st.sampled_from(
    [b"\xff", b"\x00", b"\\ud800", b'"', b"{", b"]", b"9" * 30, b"1e999", b"NaN", b"[" * 400,
     b"<record>", b"</record>", b"&x;", b"]]>", b"<!DOCTYPE x>", b"-", b"\xc3\xa9", b"true"]
)  # fmt: skip


SEEDS = {
    "bundle": [golden.data for golden in GOLDEN],
    "page": [page(record(), record("2201.00001")), page(record("math/0410603"))],
    "row": [line(row()), line(older_row())],
}


@st.composite
def mangled(draw: st.DrawFn, kind: str) -> bytes:
    """Cut pieces out of a good input, repeat them, put surprises in."""
    data = SEEDS[kind][draw(st.integers(0, len(SEEDS[kind]) - 1))]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        stop = min(len(data), start + draw(st.integers(0, 60)))
        put = draw(surprises | st.binary(max_size=4) | st.just(data[start:stop] * 2))
        data = data[:start] + put + data[stop:]
    return data


@st.composite
def rearranged(draw: st.DrawFn) -> bytes:
    """Put any JSON at any place of a bundle, and other keys and pieces of it too."""
    bundle = json.loads(GOLDEN[draw(st.integers(0, len(GOLDEN) - 1))].data)
    for _ in range(draw(st.integers(1, 3))):
        at: Any = bundle
        while isinstance(at, dict | list) and at:
            places = list(at) if isinstance(at, dict) else list(range(len(at)))
            place = draw(st.sampled_from(places))
            if not isinstance(at[place], dict | list) or draw(st.integers(0, 3)) == 0:
                piece = deepcopy(bundle[draw(st.sampled_from(sorted(bundle)))])
                at[place] = draw(anything | st.just(piece))
                break
            at = at[place]
    return json.dumps(bundle).encode()


def assert_answered(data: bytes) -> None:
    report = verify_bundle(data, [], columns={"pith_number": "x"}, texts={})
    assert report.unreadable or report.failure
    assert not report.trusted


@fuzzed
@given(mangled("bundle") | rearranged() | st.binary(max_size=40))
def test_verify_answers(data: bytes) -> None:
    assert_answered(data)


@fuzzed
@given(mangled("page"))
def test_a_page_is_read_or_refused(data: bytes) -> None:
    try:
        found = parse_page(data)
    except (PageError, OaiError):
        return
    assert all(isinstance(paper, Paper) for paper in found.papers)
    assert all(reject.reason for reject in found.rejects)


@fuzzed
@given(mangled("row") | anything.map(lambda value: json.dumps(value).encode()))
def test_a_row_is_a_paper_or_refused(data: bytes) -> None:
    for read in (parse_line, texts_of_line):
        try:
            assert read(data)
        except BadPaperError as error:
            assert str(error)  # noqa: PT017 - either is fine, but with a reason


@fuzzed
@given(st.lists(anything, max_size=4))
def test_merge_judges_any_events(events: list[Any]) -> None:
    state = merge(events, number=NUMBER, public_keys=[*KEYS, *events], source_aliases=[])
    assert state["valid_event_count"] == 0
    assert canonical_json(state)


@fuzzed
@given(anything)
def test_writing_without_looking_gives_what_the_strict_form_gives(value: Any) -> None:
    try:
        reference = canonical_json(value)
    except CanonicalError:
        return
    assert canonical_json_unchecked(value) == reference
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    assert reference == text.encode()


@fuzzed
@given(value=anything, compact=st.booleans())
def test_strict_json_reads_what_it_should_and_nothing_twice(value: Any, *, compact: bool) -> None:
    try:
        data = json.dumps(value).encode()
        if compact:
            refuse_ambiguous(value)
            data = compact_json_unchecked(value)
        assert read_json(data) == value
    except (CanonicalError, NotStrictJsonError):
        return
    doubled = b'{"a":' + data + b',"b":1,"a":' + data + b"}"
    try:
        read_json(doubled)
    except NotStrictJsonError as error:
        assert "stands twice" in str(error)  # noqa: PT017 - it must raise, see below
    else:
        raise AssertionError("a key twice was read")
