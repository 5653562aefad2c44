"""`find` takes words and whatever names a paper, fits the screen, and says what to try instead."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from rich.cells import cell_len
from support.commands.inside import Answered, inside
from support.commands.terminal import ESCAPE, on_terminal, without_style
from support.hostile.text import ANY, IN_XML, assert_safe
from support.papers.oai_pages import page, record, version
from support.runs.runs import process, rows

pytestmark = pytest.mark.process

LONG = "A title that is so long that no terminal of eighty columns has room for all of it at once"


def dated(year: int) -> str:
    return version(1, f"Tue, 03 Mar {year} 04:22:14 GMT")


@dataclass(frozen=True)
class Kept:
    folder: Path
    numbers: dict[str, str]

    @property
    def data(self) -> list[str]:
        return ["--data", str(self.folder / "data")]

    def find(self, *words: str, width: int | None = None) -> Answered:
        return inside("find", *words, *self.data, width=width)

    def ids(self, *words: str) -> list[str]:
        return [line.split()[0] for line in self.find(*words).out.splitlines()]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Kept:
    folder = tmp_path_factory.mktemp("found")
    process(
        folder,
        page(
            record("1906.10822", versions=dated(2019), title="Gradient noise in wide networks",
                   authors=r"E. Schr\"odinger and B. Two"),
            record("cs/0112017", versions=dated(2001), title="Stochastic gradient descent",
                   authors="Jos\u00e9 Beispiel"),
            record("2201.00001", versions=dated(2022), title=LONG, authors="A. First, B. Second"),
            record("2201.00002", versions=dated(2021), title=f"On descent {IN_XML}",
                   authors=f"A. First {IN_XML}"),
            record("0903.0442", versions=dated(2009), title="Descent into \u6df1\u5ea6 gradients"),
        ),
    )  # fmt: skip
    numbers = {row["arxiv_id"]: row["pith_number"] for row in rows(folder, "papers")}
    return Kept(folder, numbers)


WORDS = {
    "gradient": ["1906.10822", "0903.0442", "cs/0112017"],
    "Gradient DESCENT": ["0903.0442", "cs/0112017"],
    '"gradient descent"': ["cs/0112017"],
    "\u201cgradient descent\u201d jose": ["cs/0112017"],
    "schr\u00f6dinger": ["1906.10822"],
    r"Schr\"odinger, E.": ["1906.10822"],
    "  wide,  networks!? ": ["1906.10822"],
    "\u6df1\u5ea6": ["0903.0442"],
    "": ["2201.00001", "2201.00002", "1906.10822", "0903.0442", "cs/0112017"],
}


@pytest.mark.parametrize("text", WORDS)
def test_words_find_papers_the_newest_first(kept: Kept, text: str) -> None:
    assert kept.ids(text) == WORDS[text]


def test_words_need_no_quotes_for_the_shell(kept: Kept) -> None:
    assert kept.ids("gradient", "descent") == kept.ids("gradient descent")
    assert len(kept.ids()) == 5


def test_what_names_a_paper_finds_that_paper(kept: Kept) -> None:
    number = kept.numbers["1906.10822"]
    suffix = number.split(":")[2]
    for name in (
        "1906.10822", "1906.10822v1", "arXiv:1906.10822v1 [cs.LG] 25 Jun 2019",
        "<https://arxiv.org/abs/1906.10822>", "https://ar5iv.labs.arxiv.org/html/1906.10822",
        "https://huggingface.co/papers/1906.10822", "doi:10.48550/arXiv.1906.10822", number, suffix,
        suffix[:8], f"https://registry.example/pith/{suffix}", f"(1906.10822, {number})",
        "@misc{x, eprint={1906.10822}, year={2019}}", "[1906.10822] Gradient noise",
    ):  # fmt: skip
        found = kept.find(name)
        assert (found.status, found.err) == (0, ""), name
        assert found.out.startswith(f"1906.10822   {number}  Gradient noise"), name
    assert kept.ids("see cs/0112017 and 1906.10822") == ["1906.10822", "cs/0112017"]
    # Words in capitals are no Pith Number where no record has it.
    assert kept.ids("STOCHASTIC") == ["cs/0112017"]


def test_of_what_is_not_kept_it_says_what_is(kept: Kept) -> None:
    other = kept.find("1906.10822v3")
    assert (other.status, other.out.split()[0]) == (0, "1906.10822")
    assert other.err == "of 1906.10822 no v3 is kept, but v1\n"
    both = kept.find("1906.10822 or 1906.99999")
    assert both.out.count("\n") == 1
    assert both.err.startswith("nothing is known of 1906.99999 in ")
    assert both.err.endswith("ask arXiv for it with 'pith-ingest rerun 1906.99999'\n")


NOTHING = {
    "gradeint": "try 'gradient'",
    "gradient descnet": "try 'gradient descent'",
    "gradient xqzw": "try 'gradient'",
    "wide schrodinger stochastic": "try 'wide schrodinger'",
    '"descent gradient"': "try 'descent gradient'",
    "xqzw": "try another word",
    "xqzw yqzw": "try fewer or other words",
    "\U0001f642 \u202e \0": "try words of its title or the name of an author",
    "https://arxiv.org/abs/1706.03762v5": "ask arXiv for it with 'pith-ingest rerun 1706.03762v5'",
    "pith:ABCDEFGH": "no record with this number is kept; try the paper's arXiv id",
    "ATTENTION": "try another word",
    "x" * 10_000: "try another word",
    "lorem ipsum " * 900: "try fewer or other words",
    ANY + "\ud800": "try 'title'",
}


@pytest.mark.parametrize("text", NOTHING, ids=lambda text: ascii(text[:30]))
def test_where_nothing_matches_a_sentence_says_what_to_try(kept: Kept, text: str) -> None:
    none = kept.find(text)
    assert (none.status, none.out) == (1, "")
    assert none.err.startswith("no paper matches ")
    assert none.err.endswith(f"; {NOTHING[text]}\n")
    assert none.err.count("\n") == 1
    assert len(none.err) < 220
    assert_safe(none.err)
    document = json.loads(kept.find("--json", text).out)
    assert (document["count"], document["papers"]) == (0, [])


def test_what_it_says_to_try_finds_papers(kept: Kept) -> None:
    for text, advice in NOTHING.items():
        if advice.startswith("try '"):
            assert kept.ids(advice.removeprefix("try '").removesuffix("'")), text


def test_how_many_more_there_are_is_told_beside_the_answer(kept: Kept) -> None:
    some = kept.find("--limit", "2", width=80)
    assert some.out.count("\n") == 3
    assert some.err == "3 more; --limit 5\n"
    assert kept.find("gradient", "--limit", "2").err == "1 more; --limit 3\n"
    assert kept.find("gradient", "--limit", "3").err == ""


def test_json_is_one_document_that_says_all(kept: Kept) -> None:
    found = kept.find("--json", "gradient", "--limit", "1")
    assert found.err == "2 more; --limit 3\n"
    assert ESCAPE not in found.out
    document = json.loads(found.out)
    issued = document["papers"][0].pop("issued_at")
    assert issued.endswith("Z")
    assert document == {
        "text": "gradient",
        "count": 3,
        "papers": [
            {
                "arxiv_id": "1906.10822",
                "version": 1,
                "pith_number": kept.numbers["1906.10822"],
                "title": "Gradient noise in wide networks",
                "authors": [r"E. Schr\"odinger", "B. Two"],
                "primary_category": "cs.LG",
                "submitted_at": "2019-03-03T04:22:14Z",
            }
        ],
    }


@pytest.mark.parametrize("width", [40, 80, 200])
def test_a_terminal_gets_a_table_that_fits(kept: Kept, width: int) -> None:
    shown = kept.find(width=width).out
    assert ESCAPE in shown
    text = without_style(shown)
    assert_safe(text)
    lines = text.splitlines()
    assert max(map(cell_len, lines)) <= width
    assert "E. Schr\u00f6dinger et al." in text
    assert "Jos\u00e9 Beispiel" in text
    if width >= 80:
        assert lines[0].split()[:2] == ["arXiv", "year"]
        assert lines[1].startswith("2201.00001  2022  ")
        assert "A title that is so long" in lines[1]
        assert len(lines) == 6
    assert (kept.numbers["2201.00001"] in text) is (width == 200)
    assert kept.find("xqzw", width=width).out == ""


def test_a_real_terminal_without_colour_and_a_pipe_get_no_escape_sequence(kept: Kept) -> None:
    status, text = on_terminal(
        kept.folder, "find", "gradient", *kept.data, width=80, env={"NO_COLOR": "1"}
    )
    assert status == 0
    assert ESCAPE not in text
    assert text == without_style(kept.find("gradient", width=80).out)
    assert ESCAPE not in kept.find("gradient").out
