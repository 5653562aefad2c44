"""Every command explains itself: in 80 columns, with examples that parse, and to who mistypes."""

import shlex
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
import typer
from support.commands.command import run
from support.commands.terminal import ESCAPE, on_terminal, without_style
from typer.core import TyperCommand, TyperGroup

from flows.cli.app import app
from flows.cli.output.help import Command, examples_of

ROOT_COMMAND = typer.main.get_command(app)


def walk(
    command: object, name: tuple[str, ...] = ()
) -> Iterator[tuple[str, TyperCommand | TyperGroup]]:
    assert isinstance(command, TyperCommand | TyperGroup)
    yield " ".join(name), command
    if isinstance(command, TyperGroup):
        for sub, each in command.commands.items():
            yield from walk(each, (*name, sub))


COMMANDS = dict(walk(ROOT_COMMAND))


def help_of(name: str, monkeypatch: pytest.MonkeyPatch, width: int) -> str:
    monkeypatch.setenv("COLUMNS", str(width))
    command, context = ROOT_COMMAND, ROOT_COMMAND.make_context("pith-ingest", ["status"])
    for word in name.split():
        assert isinstance(command, TyperGroup)
        command = command.commands[word]
        context = type(context)(command, info_name=word, parent=context)
    return command.get_help(context)


def test_there_are_many_commands_and_each_has_the_options_of_all() -> None:
    assert len(COMMANDS) > 18
    assert {"", "backfill", "trust", "trust add", "registry mirror"} < COMMANDS.keys()
    for name, command in COMMANDS.items():
        assert isinstance(command, TyperGroup | Command), name


@pytest.mark.parametrize("width", [40, 80, 200])
def test_each_commands_help_fits_and_has_its_parts(
    width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in COMMANDS:
        assert_fits(name, help_of(name, monkeypatch, width), width)


def assert_fits(name: str, text: str, width: int) -> None:
    for line in text.splitlines():
        # Nothing breaks a word of an example, such as a key.
        assert len(line) <= min(width, 80) or line.rstrip("\\").split() == [
            line.rstrip("\\").strip()
        ]
    assert f"Usage: pith-ingest {name}".rstrip() in " ".join(text.split())
    assert "\nExamples:\n" in text
    assert ESCAPE not in text
    if width >= 80:
        for example in examples_of(COMMANDS[name]):
            assert f"  {example}\n" in f"{text}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_commands_examples_are_of_it_and_parse(name: str) -> None:
    examples = examples_of(COMMANDS[name])
    assert examples
    for example in examples:
        words = shlex.split(example)
        at = words.index("pith-ingest")
        assert at == 0 or words[at - 1] == "|"
        given = words[at + 1 :]
        given = given[: given.index(">")] if ">" in given else given
        assert " ".join(given).startswith(name)
        parse(given)


def parse(words: list[str]) -> dict[str, object]:
    command = ROOT_COMMAND
    context = command.make_context("pith-ingest", list(words))
    while isinstance(command, TyperGroup):
        rest = [*context._protected_args, *context.args]  # noqa: SLF001  # Typer's own way
        name, found, rest = command.resolve_command(context, rest)
        assert found is not None
        command, context = found, found.make_context(name, rest, parent=context)
    return context.params


def test_an_example_on_a_narrow_terminal_can_be_pasted(monkeypatch: pytest.MonkeyPatch) -> None:
    text = help_of("backfill", monkeypatch, 40).partition("Examples:\n")[2]
    pasted = shlex.split(text.replace("\\\n", ""))
    whole = shlex.split("\n".join(examples_of(COMMANDS["backfill"])))
    assert pasted == whole


def test_days_are_typed_as_people_say_them() -> None:
    words = ["backfill", "--from", "14 Nov 2025", "--until", "2025-11-20"]
    given = parse(words)
    assert (given["first"], given["until"]) == (date(2025, 11, 14), date(2025, 11, 20))
    assert parse(["backfill", "--from", "7d"])["first"] == datetime.now(UTC).date() - timedelta(7)


def test_commands_are_listed_in_panels(monkeypatch: pytest.MonkeyPatch) -> None:
    text = help_of("", monkeypatch, 80)
    panels = [
        "Begin:",
        "Jobs:",
        "Look up:",
        "Verify:",
        "Operate:",
        "Keys:",
        "Options:",
        "Examples:",
    ]
    assert [line for line in text.splitlines() if line.endswith(":")] == panels


@pytest.mark.process
def test_help_on_a_terminal_is_coloured_unless_no_color_says_otherwise(tmp_path: Path) -> None:
    status, text = on_terminal(tmp_path, "find", "--help", width=40)
    assert status == 0
    assert ESCAPE in text
    assert ESCAPE not in without_style(text)
    assert max(map(len, without_style(text).splitlines())) <= 40
    _, plain = on_terminal(tmp_path, "find", "--help", width=40, env={"NO_COLOR": "1"})
    assert plain == without_style(text)
    status, nothing = on_terminal(tmp_path, width=80)
    assert status == 2
    assert "\nJobs:\n" in nothing
    assert ESCAPE not in nothing


@pytest.mark.process
def test_the_version_is_told_with_its_commit(tmp_path: Path) -> None:
    told = run(tmp_path, "--version")
    assert (told.returncode, told.stderr) == (0, "")
    name, release, *commit = told.stdout.split()
    assert (name, release[0].isdigit()) == ("pith-ingest", True)
    assert commit[0] == "(commit"
    without_git = run(tmp_path, "-V", PATH="")
    assert (without_git.returncode, without_git.stdout) == (0, f"{name} {release}\n")


WRONG = {
    "find --limt 3": ["--limt", "--limit"],
    "find --limit 0": ["--limit"],
    "trust lst": ["Did you mean 'list'?"],
    "status -q -v": ["--quiet and --verbose are one choice"],
    "-q -v status": ["--quiet and --verbose are one choice"],
    "status --watch --json": ["--watch follows a run on the screen"],
    "status --watch --quiet": ["--watch follows a run on the screen"],
    "show": ["PAPER"],
}


@pytest.mark.parametrize("words", WRONG)
def test_wrong_use_is_told_in_a_sentence(words: str) -> None:
    with pytest.raises(typer.TyperException) as error:
        app(words.split(), standalone_mode=False)
    for part in WRONG[words]:
        assert part in error.value.format_message()


@pytest.mark.process
def test_who_mistypes_reads_what_was_meant_and_where_to_get_help(tmp_path: Path) -> None:
    done = run(tmp_path, "backfil")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        "pith-ingest: No such command 'backfil'. Did you mean 'backfill'?",
        "Try 'pith-ingest --help' for help.",
    ]


@pytest.mark.process
def test_the_shell_completes_commands_and_options(tmp_path: Path) -> None:
    for words, found in (("pith-ingest ni", "nightly"), ("pith-ingest find --lim", "--limit")):
        told = run(
            tmp_path, _PITH_INGEST_COMPLETE="complete_bash", COMP_WORDS=words,
            COMP_CWORD=str(len(words.split()) - 1), PYTHONPATH="",
        )  # fmt: skip
        assert told.stdout == f"{found}\n", told.stderr
