"""`show` lays a record out for people, says it as JSON, and opens its page in a browser."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from rich.cells import cell_len
from support.commands.inside import Answered, inside
from support.commands.terminal import ESCAPE, on_terminal, without_style
from support.hostile.text import IN_XML, assert_safe
from support.papers.oai_pages import page, record, version
from support.registry.serving import serving
from support.runs.runs import process, rows

from flows.registry import record_page

pytestmark = pytest.mark.process

PAPER = "0903.0442"
TITLE = "A title that takes more than one line of a terminal which has eighty columns, as most have"
AUTHORS = " and ".join(f"Firstname{n} Lastname{n}" for n in range(12))
NO_SETTINGS: Mapping[str, str] = {}
OWN = "https://registry.example/pith"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Keep two versions of a paper, and one whose fields mean harm."""
    made = tmp_path_factory.mktemp("shown")
    evil = record("2201.00001", title=f"Evil {IN_XML}", authors=f"Ann Evil {IN_XML}")
    process(made, page(record(), evil))
    process(made, page(record(versions=version(1) + version(2), title=TITLE, authors=AUTHORS)))
    return made


@pytest.fixture(scope="module")
def numbers(folder: Path) -> list[str]:
    """Return the numbers of both versions, the older first."""
    found = {row["version"]: row["pith_number"] for row in rows(folder, "papers")
             if row["arxiv_id"] == PAPER}  # fmt: skip
    return [found[1], found[2]]


def show(
    folder: Path, *words: str, width: int | None = None, env: Mapping[str, str] = NO_SETTINGS
) -> Answered:
    own = {"PITH_IDENTITY__BASE_URL": OWN.removesuffix("/pith"), "BROWSER": "", "DISPLAY": ""}
    settings = {**own, "WAYLAND_DISPLAY": "", **env}
    return inside("show", *words, "--data", folder / "data", width=width, env=settings)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_title_and_authors_are_wrapped_below_themselves_and_not_cut(
    folder: Path, width: int
) -> None:
    shown = show(folder, PAPER, width=width).out
    assert ESCAPE in shown
    text = without_style(shown)
    assert_safe(text)
    lines = text.splitlines()
    assert max(map(cell_len, lines)) <= width
    joined = " ".join(text.split())
    assert TITLE in joined
    assert all(f"Firstname{n} Lastname{n}" in joined for n in range(12))
    if width == 80:
        first = next(n for n, line in enumerate(lines) if line.startswith("title  "))
        assert lines[first].index("A title") == 16
        assert lines[first + 1] == f"{' ' * 16}eighty columns, as most have"
    # A value's next lines are indented, and so are none of the screen's own.
    evil = without_style(show(folder, "2201.00001", width=width).out)
    assert_safe(evil.replace("\n  ", " "))


def test_a_pipe_gets_each_value_on_its_line_without_colour(
    folder: Path, numbers: list[str]
) -> None:
    lines = show(folder, PAPER).out.splitlines()
    assert lines[0] == f"Pith Number     {numbers[1]}"
    assert f"title           {TITLE}" in lines
    assert lines[-1] == f"older record    {numbers[0]} (v1)"
    assert ESCAPE not in "".join(lines)


def test_json_says_the_same(folder: Path, numbers: list[str]) -> None:
    shown = show(folder, "--json", f"{PAPER}v1", width=80)
    assert (shown.status, shown.err) == (0, "")
    assert ESCAPE not in shown.out
    document = json.loads(shown.out)
    assert document["first_computed_at"].endswith("Z")
    taken = {"bundle", "canonical_sha256", "first_computed_at", "key_id"}
    assert {name: value for name, value in document.items() if name not in taken} == {
        "pith_number": numbers[0],
        "short_pith_number": f"pith:{numbers[0].split(':')[2][:8]}",
        "arxiv_id": PAPER,
        "version": 1,
        "title": f"A title of {PAPER}",
        "authors_text": "A. One, B. Two",
        "categories": ["cs.LG", "stat.ML"],
        "submitted_at": "2009-03-03T04:22:14Z",
        "license": "http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
        "signer_id": "unregistered.invalid",
        "events": 2,
        "has_vanished": False,
        "newer_records": [{"pith_number": numbers[1], "version": 2}],
        "older_records": [],
    }
    assert Path(document["bundle"]).is_file()
    assert json.loads(show(folder, "--json", "2201.00001").out)["title"].startswith("Evil a")


def browser(folder: Path) -> tuple[str, Path]:
    """Return a browser that notes what it is asked for, and where."""
    script, asked = folder / "browser", folder / "asked"
    script.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" >> {asked}\n')
    script.chmod(0o755)
    asked.write_text("")
    return str(script), asked


def test_open_opens_the_page_at_the_own_registry_and_prints_its_address(
    folder: Path, numbers: list[str], tmp_path: Path
) -> None:
    script, asked = browser(tmp_path)
    # As a command of its own: Python looks for browsers once.
    own = {"PITH_IDENTITY__BASE_URL": OWN.removesuffix("/pith"), "BROWSER": script}
    words: list[str | Path] = [
        "show",
        "--open",
        f"arXiv:{PAPER}v1 [cs.LG]",
        "--data",
        folder / "data",
    ]
    status, written = on_terminal(tmp_path, *words, width=80, env=own)
    address = f"{OWN}/{numbers[0].split(':')[2]}"
    assert (status, written) == (0, f"{address}\n")
    assert asked.read_text() == f"{address}\n"


def test_without_a_screen_it_only_prints(folder: Path, numbers: list[str]) -> None:
    told = show(folder, "--open", PAPER)
    assert told == Answered(
        0, f"{OWN}/{numbers[1].split(':')[2]}\n", "there is no browser to open it in\n"
    )


NOBODYS = {"PITH_IDENTITY__BASE_URL": "https://unregistered.invalid"}


def test_without_a_registry_of_ones_own_it_is_the_one_that_is_served_here(
    folder: Path, numbers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    suffix = numbers[1].split(":")[2]
    with serving(folder) as served:
        monkeypatch.setattr(record_page, "LOCAL_REGISTRY", served.url)
        assert show(folder, "--open", PAPER, env=NOBODYS).out == f"{served.url}/pith/{suffix}\n"
        page_there = served.get(f"/pith/{suffix}", accept="text/html")
        assert page_there.status_code == 200
        # One that has other records is not asked to show this one.
        assert record_page._served_here(f"pith:2009:{'A' * 26}") is None  # noqa: SLF001
        served.stop()
    refused = show(folder, "--open", PAPER, env=NOBODYS)
    assert (refused.status, refused.out) == (2, "")
    assert "start one with 'pith-ingest registry serve', or name one with --reg" in refused.err


GOOD = ["http://127.0.0.1:9", "https://pith.science/", "http://[::1]:8080"]
BAD = [
    "ftp://x.example", "file:///etc/passwd", "javascript:alert(1)", "pith.science", "http://",
    "https://x.example/\x1b[2J", "https://x.example/'`reboot`", "-x", "https:///pith", "http://x y",
    "http://[::1",
]  # fmt: skip


@pytest.mark.parametrize("url", GOOD)
def test_any_registry_may_be_named(folder: Path, numbers: list[str], url: str) -> None:
    told = show(folder, "--open", PAPER, "--registry", url)
    assert told.out == f"{url.rstrip('/')}/pith/{numbers[1].split(':')[2]}\n"


@pytest.mark.parametrize("url", BAD)
def test_only_addresses_of_the_web_are_opened(
    folder: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record_page, "open_page", pytest.fail)
    refused = show(folder, "--open", PAPER, "--registry", url)
    assert (refused.status, refused.out) == (2, "")
    assert "is no address of a registry such as http://127.0.0.1:8080" in refused.err
    assert_safe(refused.err)


@pytest.mark.parametrize("words", [["--open", "--json"], ["--bundle", "--json"], ["--registry=x"]])
def test_options_that_contradict_each_other_are_refused(folder: Path, words: list[str]) -> None:
    import typer

    with pytest.raises(typer.BadParameter):
        show(folder, PAPER, *words)


def test_show_of_a_text_that_names_two_papers_names_both(folder: Path) -> None:
    refused = show(folder, f"{PAPER}, 2201.00001 and {os.sep * 9000}")
    assert refused.status == 2
    assert f"names {PAPER} and 2201.00001; name one paper" in refused.err


NONSENSE = ["", "\0", "x" * 10_000, "arxiv:" * 2_000, "\U0001f642", "\u202e\u05d0", IN_XML, "%s{0}"]


@pytest.mark.parametrize("text", NONSENSE, ids=lambda text: ascii(text[:12]))
def test_nonsense_is_refused_in_a_sentence(folder: Path, text: str) -> None:
    for words in ([], ["--json"], ["--bundle"], ["--open"]):
        refused = show(folder, text, *words)
        assert (refused.status, refused.out) == (2, "")
        assert "is not an arXiv id such as 1906.10822" in refused.err
        assert refused.err.count("\n") == 1
        assert_safe(refused.err)
