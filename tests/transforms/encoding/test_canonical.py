"""Canonical text and JSON (spec, section 1)."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms import CanonicalError, canonical_json, canonical_text
from transforms.encoding.canonical import MAX_DEPTH, text_sha256
from transforms.encoding.digest import sha256

text = st.text(st.characters(exclude_categories=["Cs"]))
ascii_keys = st.text(st.characters(max_codepoint=127))
integers = st.integers(-(2**53), 2**53)
values = st.recursive(
    st.none() | st.booleans() | integers | text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ascii_keys, inner, max_size=4),
    max_leaves=20,
)


@given(text)
def test_canonical_text_is_idempotent(raw: str) -> None:
    once = canonical_text(raw)
    assert canonical_text(once) == once


@given(text)
def test_canonical_text_has_single_spaces_and_none_at_the_ends(raw: str) -> None:
    words = canonical_text(raw).split(" ")
    assert words == [""] or all(word and not any(c.isspace() for c in word) for word in words)


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("  A\n  Title\tof\u00a0Two ", "a title of two"),
        (r"Schr\"odinger's $M = 2$ {\L}", r"schr\"odinger's $m = 2$ {\l}"),
        ("\u00e2\u20ac\u201c", "\u00e2\u20ac\u201c"),  # a mis-decoded dash is not repaired
        ("del\x7fete", "del\x7fete"),  # nor is a control character dropped
        ("e\u0301 \ufb01", "e\u0301 \ufb01"),  # nor anything normalised
    ],
)
def test_canonical_text_keeps_what_it_must(raw: str, canonical: str) -> None:
    assert canonical_text(raw) == canonical


@given(values)
def test_canonical_json_is_python_json_on_all_it_accepts(value: Any) -> None:
    reference = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert canonical_json(value) == reference.encode()


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (1.0, "a float has no"),
        (float("nan"), "a float has no"),
        (2**53 + 1, "integer beyond"),
        (-(2**53) - 1, "integer beyond"),
        ({"é": 1}, "not an ASCII string"),
        ({1: 1}, "not an ASCII string"),
        ("\ud800", "lone surrogate U\\+D800"),
        ({"k": ["\udfff"]}, "lone surrogate"),
        ((1, 2), "a tuple has no"),
        (b"bytes", "a bytes has no"),
        ({"deep": {1, 2}}, "a set has no"),
    ],
    ids=repr,
)
def test_canonical_json_refuses_what_could_be_written_in_two_ways(value: Any, reason: str) -> None:
    with pytest.raises(CanonicalError, match=reason):
        canonical_json(value)


def test_canonical_json_refuses_nesting_without_end() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(CanonicalError, match=f"deeper than {MAX_DEPTH}"):
        canonical_json(circle)


def test_a_lone_surrogate_has_no_text_hash() -> None:
    with pytest.raises(CanonicalError, match="lone surrogate"):
        text_sha256("a \ud800 b")


@given(text | st.text(st.characters(max_codepoint=127)))
def test_a_texts_hash_is_that_of_its_canonical_form(raw: str) -> None:
    assert text_sha256(raw) == sha256(canonical_text(raw).encode())


def test_each_ascii_character_is_hashed_as_its_canonical_form() -> None:
    for code in range(128):
        raw = f"A{chr(code)}{chr(code)}B"
        assert text_sha256(raw) == sha256(canonical_text(raw).encode()), code
