"""The author list that is signed: the published ones to the letter, and what must hold of any."""

import json
from random import Random
from time import process_time
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.papers.golden_data import GOLDEN, Golden, paper_of
from support.papers.plain_authors import WHITESPACE, plain_authors_text
from support.paths import SHARED

from transforms import Identity, Issuer, authors_text, canonical_record, pith_number
from transforms.bundle.events import Issuance, graph_snapshot, snapshot_paper
from transforms.bundle.record import identify
from transforms.encoding.timestamps import from_text
from transforms.paper.paper import one_line
from transforms.signing import decode_base64
from transforms.verify.verify import PITH_SCIENCE_KEY

EVENTS, LISTS = (SHARED / "golden" / name for name in ("events.jsonl", "authors.jsonl"))
needs_events = pytest.mark.skipif(not EVENTS.exists(), reason=f"no published events at {EVENTS}")
needs_lists = pytest.mark.skipif(not LISTS.exists(), reason=f"no published lists at {LISTS}")


class NoSigner:
    """Has pith.science's public key; what it signs lies outside of every id."""

    def __init__(self) -> None:
        self.public_key = PITH_SCIENCE_KEY

    def sign(self, message: bytes) -> bytes:
        return bytes(64 + 0 * len(message))


def published_issuer() -> Issuer:
    document = GOLDEN[0].bundle["public_keys"][0]
    identity = Identity(
        signer_id="pith.science",
        base_url="https://pith.science",
        resolver_name="Pith Resolver",
        key_id="pith-v1-2026-05",
        key_url=document["url"],
        key_notes=document["notes"],
        builder_version="pith-number-builder-2026-05-17-v1",
    )
    assert decode_base64(document["public_key_b64"], 32) == PITH_SCIENCE_KEY
    return Issuer(identity, NoSigner())


def recomputed(line: dict[str, Any]) -> tuple[str, str, str]:
    """Return number, author list and event id of a published snapshot, from arXiv's fields."""
    paper = paper_of({**line, "authors": [line["authors"]]})
    record, shown = canonical_record(paper), snapshot_paper(paper)
    created_at = from_text(line["created_at"])
    issuance = Issuance(record, identify(record), published_issuer(), created_at)
    event = graph_snapshot(issuance, shown, signed_at=created_at)
    return pith_number(record), shown["authors_text"], event["event_id"]


@needs_events
def test_every_published_snapshot_gets_its_event_id() -> None:
    lines = [json.loads(line) for line in EVENTS.read_text().splitlines()]
    expected = [
        (line["pith_number"], line["authors_text"], line["graph_snapshot_event_id"])
        for line in lines
    ]
    assert len(lines) >= 19
    assert [recomputed(line) for line in lines] == expected


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.id)
def test_the_golden_snapshots_too(golden: Golden) -> None:
    event = golden.bundle["events"][1]
    line = {**golden.metadata, "created_at": event["created_at"]}
    line["authors"] = ", ".join(line["authors"])
    shown = event["payload"]["graph_snapshot"]["paper"]["authors_text"]
    assert recomputed(line) == (golden.bundle["pith_number"], shown, event["event_id"])


@needs_lists
def test_every_published_list_comes_out_of_its_string_and_of_itself() -> None:
    lines = [json.loads(line) for line in LISTS.read_text().splitlines()]
    assert len(lines) >= 133
    wrong = [
        line["arxiv"]
        for line in lines
        for authors in filter(None, (line["authors"], line["authors_text"]))
        if authors_text(authors) != line["authors_text"]
    ]
    assert wrong == []
    assert sum(bool(line["authors"]) for line in lines) >= 53


CASES = {
    # (spec, section 4, sentence by sentence)
    "Ada \t Example ,\n  Bob  Sample": "Ada Example, Bob Sample",
    "W. George (LIX, GRACE)": "GRACE), W. George (LIX",
    "B. Two,A. One": "A. One, B. Two",
    "B. Two (A and\n  C, D) and A. One": "A. One, B. Two (A, C, D)",
    "A. One, B. Two, and C. Three": "A. One, B. Two, C. Three",
    "X; Y & Z: U. V": "X; Y & Z: U. V",
    "Roland B. (IF)": "Roland B. (IF)",
    ",, A. One , ,": "A. One",
    "A. One (1), B. Two (1), A. One (1)": "A. One (1), B. Two (1)",
    r"\v{Z}, Vy, {\L}z, Vb": r"{\L}z, Vb, Vy, \v{Z}",
    "J. Sorce, J.M. Bert, J. Love, C. W. Stub, C. Waters": (
        "C. Waters, C. W. Stub, J. Love, J.M. Bert, J. Sorce"
    ),
    "B, a, A, b": "a, A, b, B",
    "J. De La, J. de la, j. De la, J. de La": "j. De la, J. de la, J. de La, J. De La",
    "A-B, A B, A.B": "A B, A-B, A.B",
    "b, 10, 9, A": "10, 9, A, b",
    # ours: what is not ASCII counts for nothing, wherever it stands
    "Zoë, Zob, É. A, 王小明, Ł. A, Ωb": "王小明, É. A, Ł. A, Ωb, Zoë, Zob",
    "Alpha, $\\alpha$": "$\\alpha$, Alpha",
    "\u212aelvin, Kelvin, elvin": "elvin, \u212aelvin, Kelvin",
    # ours: the word stands alone, wherever it stands
    "and A. One and and B. Two and": "A. One, B. Two",
    "A. One,and B. Two and,C. Three": "A. One, B. Two, C. Three",
    "Anders Brand, Andand, Sand and Landau": "Andand, Anders Brand, Landau, Sand",
    "A And B, A AND B": "A And B, A AND B",
    "(and B)": "(and B)",
    "and": "",
    " , and ,": "",
    "": "",
}


@pytest.mark.parametrize("authors", CASES)
def test_the_rule_sentence_by_sentence(authors: str) -> None:
    assert authors_text(authors) == CASES[authors]


@pytest.mark.parametrize("blank", WHITESPACE, ids=ascii)
def test_every_kind_of_whitespace_is_a_space(blank: str) -> None:
    run = f" {blank}{blank}"
    for space in (blank, run):
        text = f"{space}B.{space}Two{space}and{space}A.{space}One,{space}and{space}C{space}"
        assert authors_text(text) == "A. One, B. Two, C"


PIECES = [*"aAbBzZ019.,-(){}$\\'\"&;:éŁ王\u212a\u200b", *WHITESPACE, *[" and ", "and"] * 5]
names = st.lists(st.sampled_from(PIECES)).map("".join)
strings = names | st.text()


@given(strings)
@example("A and and B")
@example("A,and B")
@example("A and\u00a0and B")
def test_a_list_is_its_own_list_and_the_plain_way_gives_it_too(authors: str) -> None:
    text = authors_text(authors)
    assert authors_text(text) == text == plain_authors_text(authors)


@given(st.lists(strings, min_size=1), st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_nor_what_stands_between_matters(
    parts: list[str], random: Random
) -> None:
    expected = authors_text(",".join(parts))
    again = [*parts, *random.choices(parts, k=2)]
    random.shuffle(again)
    between = [random.choice([",", ", ", " ,\n  ", " and ", ", and ", ",,"]) for _ in again]
    assert authors_text("".join(x for pair in zip(again, between, strict=True) for x in pair)) == (
        expected
    )


@given(strings)
def test_one_line_first_or_not_gives_the_same(authors: str) -> None:
    assert authors_text(one_line(authors)) == authors_text(authors)


@given(strings)
def test_no_letter_is_lost_and_none_comes_from_elsewhere(authors: str) -> None:
    words = {word for part in authors.split(",") for word in part.split()} - {"and"}
    assert {word for part in authors_text(authors).split(", ") for word in part.split()} == words


def test_a_hostile_string_costs_no_more_than_its_length() -> None:
    def seconds(size: int) -> float:
        started = process_time()
        for text in ("and " * size, "(" * 4 * size, ",and" * size, " \t,," * size):
            authors_text(text)
        return process_time() - started

    small, large = (min(seconds(size) for _ in range(3)) for size in (10_000, 80_000))
    assert large < 40 * small
