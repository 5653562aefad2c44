"""Write what every command of the documentation shows on terminals of two sizes, by tmux.

`.venv/bin/python tests/support/documents/captures.py FOLDER` writes FOLDER/80x24/ and
FOLDER/200x50/, a file a command: those in README and docs/, and the `--help` of each. It ends with
exit status 1 where a terminal had to wrap a line, where there is colour with NO_COLOR or in a
pipe, or where a command does not end. A line may be wider than the terminal that is one word (a
path, a key, an address) or one command to be copied, and JSON is for programs.
"""

import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[3] / "docs" / "tools")]

import typer.main
from commands import walk

from flows.cli.app import app
from support.documents.checkout import (
    PAGES,
    arxiv_on_loopback,
    blocks_of,
    copy_checkout,
    environment,
)

SIZES = ((80, 24), (200, 50))
SECONDS = 120
_FINISHED = "finished"


def commands() -> list[str]:
    """Return each command of the documentation once, and each command's `--help`.

    A command that stands below a `cd` in its block begins with it.
    """
    blocks = (block for page in PAGES for kind, block in blocks_of(page) if kind == "sh")
    lines = (line for block in blocks for line in _lines_of(block))
    helps = (
        " ".join(("pith-ingest", *words, "--help")) for words in walk(typer.main.get_command(app))
    )
    return list(dict.fromkeys(line for line in (*lines, *helps) if line.strip()))


def _lines_of(block: str) -> Iterator[str]:
    folder = ""
    for line in block.replace("\\\n", "").splitlines():
        if line.startswith("cd "):
            folder += f"{line} && "
        elif line.strip():
            yield folder + line


def may_be_wide(line: str, command: str) -> bool:
    """Return whether no layout could break a line: one word, a command, or a document's."""
    is_command = re.fullmatch(r" *(cd|pith-ingest|\.venv/bin/pith-ingest) .*", line)
    return len(line.split()) == 1 or bool(is_command) or "--json" in command


class Terminal:
    """A terminal of tmux's, in which one command runs after the other."""

    def __init__(self, columns: int, rows: int, checkout: Path, settings: dict[str, str]) -> None:
        """Start it in a checkout."""
        self._columns = columns
        self._socket = f"pith-captures-{columns}"
        self._command("kill-server")
        self._command("-f", "/dev/null", "new-session", "-d", "-x", f"{columns}", "-y", f"{rows}",
            "env", "-i", "TERM=tmux-256color", "PS1=", "COLORTERM=",
            *(f"{name}={value}" for name, value in environment(checkout, settings).items()),
            "bash", "--norc", "--noprofile", cwd=checkout)  # fmt: skip
        self._command("set-option", "-g", "history-limit", "5000")

    def show(self, command: str, *, escapes: bool = False) -> str:
        """Run a command and return what it shows; a line that was wrapped is one again."""
        done = f"tmux -L {self._socket} wait-for -S {_FINISHED}"
        self._command("send-keys", "-R")
        self._command("clear-history")
        # Within `eval` a comment at its end ends it; within brackets it changes no folder.
        run = f"clear; (eval {shlex.quote(command)}); {done}"
        self._command("send-keys", "-l", run)
        self._command("send-keys", "Enter")
        try:
            self._command("wait-for", _FINISHED)
        except subprocess.TimeoutExpired:
            self._command("send-keys", "C-c")
            return f"(did not end within {SECONDS} s)\n"
        wanted = ("-J", "-e") if escapes else ("-J",)
        return self._command("capture-pane", "-p", "-S", "-", *wanted).rstrip() + "\n"

    def close(self) -> None:
        """End it."""
        self._command("kill-server")

    def _command(self, *words: str, cwd: Path | None = None) -> str:
        return subprocess.run(
            ["tmux", "-L", self._socket, *words],
            cwd=cwd, capture_output=True, text=True, timeout=SECONDS, check=False,
        ).stdout  # fmt: skip


def capture(folder: Path, checkout: Path, settings: dict[str, str]) -> Iterator[str]:
    """Write all captures; yield what is wrong with any, a line each."""
    for columns, rows in SIZES:
        place = folder / f"{columns}x{rows}"
        place.mkdir(parents=True, exist_ok=True)
        terminal = Terminal(columns, rows, checkout, settings)
        for number, command in enumerate(commands()):
            shown = terminal.show(command)
            name = re.sub(r"[^\w.-]+", "-", command.removeprefix(".venv/bin/"))[:60].strip("-")
            (place / f"{number:02} {name}.txt").write_text(f"$ {command}\n{shown}")
            yield from (
                f"{columns} columns, {command}: {line}"
                for line in shown.splitlines()
                if len(line.rstrip()) > columns and not may_be_wide(line, command)
            )
            if shown.startswith("(did not end"):
                yield f"{columns} columns, {command}: {shown.strip()}"
                continue
            plain = terminal.show(f"NO_COLOR=1 bash -c {shlex.quote(command)}", escapes=True)
            if "\x1b[" in plain.partition("\n")[2]:
                yield f"{columns} columns, {command}: escape sequences with NO_COLOR"
        terminal.close()
    for command in commands():
        done = subprocess.run(
            ["bash", "-c", f"({command}) 2>&1 | cat"], cwd=checkout,
            env=environment(checkout, settings), capture_output=True, check=False,
        )  # fmt: skip
        if b"\x1b" in done.stdout:
            yield f"{command}: escape sequences in a pipe"


def main(folder: Path) -> int:
    """Write the captures into a folder, and return the exit status."""
    with tempfile.TemporaryDirectory() as home, arxiv_on_loopback() as settings:
        checkout = Path(home, "pith-ingest")
        copy_checkout(checkout)
        make = ["make", "demo"]
        subprocess.run(make, cwd=checkout, env=environment(checkout, {}), check=True)
        faults = list(capture(folder, checkout, settings))
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    sys.stdout.write(f"{len(commands())} commands, {len(faults)} faults\n")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
