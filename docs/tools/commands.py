"""Write docs/commands.md: what every command's `--help` says.

`python docs/tools/commands.py > docs/commands.md`; a test holds that it is up to date.
"""

import sys
from collections.abc import Iterator

import typer.main
from typer.testing import CliRunner

from flows.cli.app import app

HEAD = """# The commands

What `--help` says of each, as the program of this page's version prints it; written by
`python docs/tools/commands.py > docs/commands.md`. [jobs.md](jobs.md) has the exit statuses.
"""


def walk(command: object, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of a command and of all below it, groups first."""
    yield words
    for name, one in getattr(command, "commands", {}).items():
        yield from walk(one, (*words, name))


def reference() -> str:
    """Return the page."""
    parts = [HEAD]
    for words in walk(typer.main.get_command(app)):
        level = "##" if len(words) <= 1 else "###"
        name = " ".join(("pith-ingest", *words))
        parts.append(f"{level} `{name}`\n\n```text\n{_help(words)}```\n")
    return "\n".join(parts)


def _help(words: tuple[str, ...]) -> str:
    said = CliRunner(env={"COLUMNS": "80", "NO_COLOR": "1"}).invoke(app, [*words, "--help"])
    return "".join(f"{line.rstrip()}\n" for line in said.output.strip().splitlines())


if __name__ == "__main__":
    sys.stdout.write(reference())
