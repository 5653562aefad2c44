"""Whatever people paste names a paper, or is refused in a sentence."""

from contextlib import suppress
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from transforms.paper.paper import check_id
from transforms.paper.reference import BadReferenceError, Reference, parse_reference

SUFFIX = "JUV2VY6FK23SMEDNHMW23VESQV"
GOOD = {
    "1906.10822": Reference("1906.10822"),
    "0704.0001": Reference("0704.0001"),
    " 1906.10822v1\n": Reference("1906.10822", 1),
    "1906.10822V12": Reference("1906.10822", 12),
    "arXiv:1906.10822v1": Reference("1906.10822", 1),
    "ARXIV: 1906.10822": Reference("1906.10822"),
    "arXiv:1906.10822v1 [cs.LG] 26 Jun 2019": Reference("1906.10822", 1),
    "arXiv:1906.10822 [astro-ph.HE]": Reference("1906.10822"),
    "(arXiv:1906.10822).": Reference("1906.10822"),
    "oai:arXiv.org:math/0410603": Reference("math/0410603"),
    "math/0410603": Reference("math/0410603"),
    "hep-th/9901001v3": Reference("hep-th/9901001", 3),
    "math.GT/0309136": Reference("math/0309136"),
    "arXiv:MATH.gt/0309136v2": Reference("math/0309136", 2),
    "physics.acc-ph/9701001": Reference("physics/9701001"),
    "https://arxiv.org/abs/1906.10822": Reference("1906.10822"),
    "http://www.arxiv.org/abs/1906.10822v2?context=cs.LG#top": Reference("1906.10822", 2),
    "https://export.arxiv.org/pdf/1906.10822v1.pdf": Reference("1906.10822", 1),
    "HTTPS://ARXIV.ORG/PDF/1906.10822.PDF": Reference("1906.10822"),
    "https://arxiv.org/pdf/math/0410603v1": Reference("math/0410603", 1),
    "arxiv.org/abs/math.GT/0309136/": Reference("math/0309136"),
    "<https://arxiv.org/html/2401.00001v3>,": Reference("2401.00001", 3),
    "https://arxiv.org/format/1906.10822": Reference("1906.10822"),
    "10.48550/arXiv.1906.10822": Reference("1906.10822"),
    "doi:10.48550/ARXIV.math/0410603": Reference("math/0410603"),
    "DOI: 10.48550/arXiv.1906.10822": Reference("1906.10822"),
    "https://doi.org/10.48550/arXiv.1906.10822": Reference("1906.10822"),
    "http://dx.doi.org/10.48550/arxiv.1906.10822": Reference("1906.10822"),
    f"pith:2019:{SUFFIX}": Reference(pith_number=f"pith:2019:{SUFFIX}"),
    f"PITH:2019:{SUFFIX.lower()}": Reference(pith_number=f"pith:2019:{SUFFIX}"),
    f"pith:{SUFFIX[:8]}": Reference(pith_number=f"pith:{SUFFIX[:8]}"),
    f"pith:{SUFFIX[:12].lower()}.": Reference(pith_number=f"pith:{SUFFIX[:12]}"),
    SUFFIX[:16]: Reference(pith_number=f"pith:{SUFFIX[:16]}"),
    f"https://pith.science/pith/{SUFFIX}": Reference(pith_number=f"pith:{SUFFIX}"),
    # Other sites that are asked for arXiv's ids.
    "https://ar5iv.labs.arxiv.org/html/1906.10822": Reference("1906.10822"),
    "https://ar5iv.org/abs/math/0410603v2": Reference("math/0410603", 2),
    "https://www.alphaxiv.org/abs/1906.10822v3": Reference("1906.10822", 3),
    "https://www.alphaxiv.org/overview/1906.10822": Reference("1906.10822"),
    "https://huggingface.co/papers/1906.10822": Reference("1906.10822"),
    "https://scirate.com/arxiv/1906.10822": Reference("1906.10822"),
    "https://api.semanticscholar.org/arXiv:1906.10822": Reference("1906.10822"),
    "http://lanl.arxiv.org/e-print/quant-ph/9508027": Reference("quant-ph/9508027"),
    "CoRR, abs/1906.10822 (2019)": Reference("1906.10822"),
    # Any registry's addresses.
    f"https://registry.example/pith/{SUFFIX}/bundle.json": Reference(pith_number=f"pith:{SUFFIX}"),
    f"http://127.0.0.1:8080/pith/{SUFFIX.lower()}.json": Reference(pith_number=f"pith:{SUFFIX}"),
    f"https://x.example/.well-known/pith/{SUFFIX}/bundle.json": Reference(
        pith_number=f"pith:{SUFFIX}"
    ),
    f"http://localhost:8080/pith/pith:2019:{SUFFIX}": Reference(pith_number=f"pith:2019:{SUFFIX}"),
    "https://registry.example/pith/1906.10822v1/state.json": Reference("1906.10822", 1),
    # In other text.
    "<https://arxiv.org/abs/1906.10822>": Reference("1906.10822"),
    "\u201carXiv:1906.10822\u201d": Reference("1906.10822"),
    "[1906.10822] Gradient descent": Reference("1906.10822"),
    "[a paper](https://arxiv.org/abs/1906.10822v2), read twice": Reference("1906.10822", 2),
    "[1906.10822](https://arxiv.org/abs/1906.10822v2)": Reference("1906.10822", 2),
    "see 1906.10822, arXiv:1906.10822 and 1906.10822.": Reference("1906.10822"),
    "Preprint (cs/0112017v1) of 12 December 2001": Reference("cs/0112017", 1),
    f"pith:2019:{SUFFIX} (short pith:{SUFFIX[:8]})": Reference(pith_number=f"pith:2019:{SUFFIX}"),
    f"record https://x.example/pith/{SUFFIX} of pith:2019:{SUFFIX}": Reference(
        pith_number=f"pith:2019:{SUFFIX}"
    ),
    f"1906.10822v1, pith:2019:{SUFFIX}": Reference("1906.10822", 1, beside=f"pith:2019:{SUFFIX}"),
    """@misc{lee2019, title={{A 1906 title}}, author={Lee, A. and Li, B.}, year={2019},
      eprint={1906.10822}, archivePrefix={arXiv}, primaryClass={cs.LG},
      doi = {10.48550/arXiv.1906.10822}, url={https://arxiv.org/abs/1906.10822}}""": Reference(
        "1906.10822"
    ),
    """@article{DBLP:journals/corr/abs-1906-10822, volume = {abs/1906.10822},
      url = {http://arxiv.org/abs/1906.10822}, eprinttype = {arXiv}, eprint = {1906.10822},
      biburl = {https://dblp.org/rec/journals/corr/abs-1906-10822.bib}}""": Reference("1906.10822"),
    "@article{x, eprint = {hep-th/9901001}, doi = {10.1016/S0370-2693(99)00123-4}}": Reference(
        "hep-th/9901001"
    ),
}
SEVERAL = {
    "1906.10822 1906.10823": "1906.10822 and 1906.10823",
    "arXiv:1906.10822, math/0410603; cs/0112017": "1906.10822, math/0410603 and cs/0112017",
    "1906.10822v1 or 1906.10822v2": "1906.10822v1 and 1906.10822v2",
    f"pith:{SUFFIX} pith:ABCDEFGH": f"pith:{SUFFIX} and pith:ABCDEFGH",
    f"1906.10822 and 1906.10823 of pith:{SUFFIX}": "1906.10822, 1906.10823 and pith:",
    " ".join(f"1906.{n:05}" for n in range(900)): "1906.00000, 1906.00001, 1906.00002 and 897 more",
}
BAD = [
    "",
    " ",
    "../x",
    "1906.108222",
    "1906.10822v0",
    "1906.10822v",
    "1906.arxiv:10822",
    "\uff11906.10822",
    "math/041060",
    "math/../0410603",
    "https://arxiv.org/list/cs.LG/recent",
    "https://arxiv.org.example.org/abs/1906.10822",
    "https://example.org/abs/1906.10822",
    "10.1103/PhysRevD.76.013009",
    "attention",
    "pith:2019:JUV2VY6F",
    "pith:2019:",
    f"pith:{SUFFIX}A",
    "pith:JUV2VY60",
    "x" * 100_000,
    "volume 1234.56789e3",
    "10.1234/1906.10822",
    "2019.1906.10822.1",
    "file1906.10822",
    "1906.10822_v2",
    "https://example.org/pith/",
    f"https://example.org/number/{SUFFIX}",
    f"see {SUFFIX[:8]} there",
    "\0\U0001f642\u202e",
]


@pytest.mark.parametrize("text", GOOD)
def test_what_people_paste_names_a_paper(text: str) -> None:
    assert parse_reference(text) == GOOD[text]


@pytest.mark.parametrize("text", BAD, ids=lambda text: repr(text[:40]))
def test_what_names_no_paper_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(BadReferenceError, match="is not an arXiv id") as caught:
        parse_reference(text)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("text", SEVERAL, ids=lambda text: text[:30])
def test_between_two_papers_nobody_guesses(text: str) -> None:
    with pytest.raises(BadReferenceError) as caught:
        parse_reference(text)
    assert f" names {SEVERAL[text]}" in str(caught.value)
    assert str(caught.value).endswith("; name one paper")
    assert len(str(caught.value)) < 250


ENDLESS = [
    "a-", "a.", "a-b.c", "1906.", "https://", "https://x", "arxiv:", "/", "pith:", "pith:2019:",
    "AA", " ", "10.48550/arxiv.", "corr ", "1906.10822,", "math/0410603,", f"pith:{SUFFIX} ",
]  # fmt: skip


def test_long_text_takes_time_in_proportion() -> None:
    def steps(text: str) -> float:
        begun = process_time()  # of which other work on the machine takes none
        with suppress(BadReferenceError):
            parse_reference(text)
        return process_time() - begun

    for piece in ENDLESS:
        short, long = (piece * (size // len(piece)) for size in (2_500, 10_000))
        quickest = [min(steps(text) for _ in range(5)) for text in (short, long)]
        assert quickest[1] < 8 * quickest[0] + 0.001, piece


PIECES = st.sampled_from(
    ["arxiv:", "https://", "arxiv.org/abs/", "10.48550/arXiv.", "1906.10822", "math/0410603", ".GT",
     "v2", ".pdf", "?x", "#", " ", "[cs.LG]", "pith:", "2019:", SUFFIX, "\n", "\u212a", "/"]
)  # fmt: skip


@given(st.text() | st.lists(PIECES).map("".join))
def test_any_text_gives_a_usable_reference_or_that_error(text: str) -> None:
    try:
        reference = parse_reference(text)
    except BadReferenceError:
        return
    assert (reference.arxiv_id is None) != (reference.pith_number is None)
    if reference.arxiv_id is not None:
        assert check_id(reference.arxiv_id) == reference.arxiv_id


NEW = st.from_regex(r"\d{4}\.\d{4,5}", fullmatch=True, alphabet="0123456789.")
OLD = st.from_regex(r"(math|hep-th|cond-mat)/\d{7}", fullmatch=True)
BEFORE = st.sampled_from(
    ["", "arXiv:", "https://arxiv.org/abs/", "http://export.arxiv.org/pdf/", "10.48550/arXiv."]
)


@given(NEW | OLD.filter(str.isascii), st.none() | st.integers(1, 9999), BEFORE,
       st.sampled_from(["", ".pdf", "?a=b", "#c", ".", " "]))  # fmt: skip
def test_every_id_is_read_in_every_form(
    arxiv_id: str, version: int | None, before: str, after: str
) -> None:
    text = f"{before}{arxiv_id}{f'v{version}' if version else ''}{after}"
    assert parse_reference(text) == Reference(arxiv_id, version)
