"""What `--help` says, and the options that every command has: for all commands by their class.

Plain text laid out here and not by rich, whose import takes as long as all of a command's start.
"""

import inspect
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from textwrap import wrap
from typing import TYPE_CHECKING, cast

import typer
from typer.core import TyperCommand, TyperGroup

from flows.cli.options import QuietOption, VerboseOption
from flows.common.terminal import has_colour

if TYPE_CHECKING:
    from typer._click import Context, Parameter

EXAMPLES = "Examples:"
"""The line in a command's docstring below which its examples stand, a line each."""

_WIDEST = 80
_INDENT, _GAP = "  ", 2
_OPERATORS = {"|", ">"}


class Command(TyperCommand):
    """A command whose docstring ends with examples, and which takes `--quiet` and `--verbose`."""

    def get_params(self, ctx: "Context") -> "list[Parameter]":
        """Return its own parameters, and of these options those that it does not name itself."""
        *params, last = super().get_params(ctx)
        return [*params, *self._added(), last]

    def _added(self) -> "list[Parameter]":
        own = {param.name for param in self.params}
        return [flag for flag in _flags() if flag.name not in own]

    def parse_args(self, ctx: "Context", args: list[str]) -> list[str]:
        """Parse the words, and those of these options that stand before the command's name."""
        before = ctx.find_root().params
        words = [f"--{flag.name}" for flag in _flags() if before.get(str(flag.name))]
        return super().parse_args(ctx, [*words, *args])

    def invoke(self, ctx: "Context") -> object:
        """Run the command, which says as much as these options ask for."""
        _set_volume(ctx, quiet=ctx.params["quiet"], verbose=ctx.params["verbose"])
        for flag in self._added():
            ctx.params.pop(str(flag.name))
        return super().invoke(ctx)

    def get_help(self, ctx: "Context") -> str:
        """Return the whole help, as wide as the terminal and no wider than 80."""
        return "\n".join(_page().help(self, ctx))

    def get_usage(self, ctx: "Context") -> str:
        """Return the line on how it is called."""
        return "\n".join(_page().usage(self, ctx))


class Group(TyperGroup):
    """A group of commands, listed under the panels that they name."""

    def get_help(self, ctx: "Context") -> str:
        """Return the whole help, as wide as the terminal and no wider than 80."""
        return "\n".join(_page().help(self, ctx))

    def get_usage(self, ctx: "Context") -> str:
        """Return the line on how it is called."""
        return "\n".join(_page().usage(self, ctx))


def plain_help(ctx: "Context") -> list[str]:
    """Return the lines of the help of the command that `ctx` is of, without colour."""
    command = cast("Command | Group", ctx.command)
    return replace(_page(), colour=False).help(command, ctx)


def examples_of(command: TyperCommand | TyperGroup) -> list[str]:
    """Return the examples of a command, each as one line for a shell."""
    return _parts(command)[1]


@cache
def _flags() -> "tuple[Parameter, ...]":
    """Return `--quiet` and `--verbose` as Typer makes options."""

    def command(*, quiet: QuietOption = False, verbose: VerboseOption = False) -> None:
        """Only for its parameters."""

    app = typer.Typer(add_completion=False)
    app.command()(command)
    return tuple(typer.main.get_command(app).params)


def _set_volume(ctx: "Context", *, quiet: bool, verbose: bool) -> None:
    import logging

    from flows.common.process.progress import LOGGER

    if quiet and verbose:
        ctx.fail("--quiet and --verbose are one choice")
    if quiet or verbose:
        LOGGER.setLevel(logging.WARNING if quiet else logging.DEBUG)


def _parts(command: TyperCommand | TyperGroup) -> tuple[list[str], list[str]]:
    """Return the paragraphs of a command's help, and its examples."""
    text, _, examples = inspect.cleandoc(command.help or "").partition(f"\n{EXAMPLES}\n")
    lines = [line.strip() for line in examples.splitlines() if line.strip()]
    return text.strip().split("\n\n"), lines


def _page() -> "_Page":
    return _Page(min(shutil.get_terminal_size().columns, _WIDEST), has_colour(sys.stdout))


@dataclass(frozen=True, slots=True)
class _Page:
    """A page of help of a width, with colour or without."""

    width: int
    colour: bool

    def help(self, command: Command | Group, ctx: "Context") -> list[str]:
        """Return all lines of a command's help."""
        paragraphs, examples = _parts(command)
        lines = self.usage(command, ctx)
        for paragraph in paragraphs:
            lines += ["", *_wrapped(" ".join(paragraph.split()), self.width)]
        for title, rows in _sections(command, ctx).items():
            lines += ["", self._heading(title), *self._definitions(rows)]
        if examples:
            lines += ["", self._heading(EXAMPLES)]
            for example in examples:
                lines += self._example(example)
        return lines

    def usage(self, command: Command | Group, ctx: "Context") -> list[str]:
        """Return the lines on how a command is called."""
        words = [ctx.command_path, *command.collect_usage_pieces(ctx)]
        return _wrapped(f"Usage: {' '.join(words)}", self.width, below=" " * len("Usage: "))

    def _definitions(self, rows: Sequence[tuple[str, str]]) -> Iterator[str]:
        """Yield names with what they mean beside them, or below those that are long."""
        widest = max(len(name) for name, _ in rows)
        names = min(widest, max(self.width // 3, 12))
        column = len(_INDENT) + names + _GAP
        for name, meaning in rows:
            beside, *below = _wrapped(meaning, self.width - column) or [""]
            if len(name) <= names:
                gap = " " * (names - len(name) + _GAP)
                yield f"{_INDENT}{self._name(name)}{gap}{beside}".rstrip()
            else:
                yield f"{_INDENT}{self._name(name)}"
                below.insert(0, beside)
            yield from (f"{' ' * column}{line}" for line in below)

    def _example(self, example: str) -> list[str]:
        """Return a command over as many lines as it takes, to be pasted as they are."""
        if len(_INDENT + example) <= self.width:
            return [_INDENT + example]
        lines, line = list[str](), ""
        for word in shlex.split(example):
            # A pipe or a redirection is no word to quote.
            quoted = word if word in _OPERATORS else shlex.quote(word)
            if line and len(f"{line} {quoted} \\") > self.width:
                lines.append(f"{line} \\")
                line = ""
            indent = 2 * _INDENT if lines else _INDENT
            line = f"{line} {quoted}" if line else f"{indent}{quoted}"
        return [*lines, line]

    def _heading(self, text: str) -> str:
        text = text.rstrip(":") + ":"
        return typer.style(text, bold=True) if self.colour else text

    def _name(self, text: str) -> str:
        return typer.style(text, fg="cyan") if self.colour else text


def _sections(command: Command | Group, ctx: "Context") -> dict[str, list[tuple[str, str]]]:
    """Return the sections of a help by their titles, each with names and what they mean."""
    sections: dict[str, list[tuple[str, str]]] = {}
    if isinstance(command, Group):
        for name, made in command.commands.items():
            each = cast("TyperCommand | TyperGroup", made)
            panel = each.rich_help_panel or "Commands"
            summary = " ".join(_parts(each)[0][0].split())
            sections.setdefault(panel, []).append((name, summary))
    for title, kind in (("Arguments", "argument"), ("Options", "option")):
        params = [param for param in command.get_params(ctx) if param.param_type_name == kind]
        if records := list(filter(None, (param.get_help_record(ctx) for param in params))):
            sections[title] = records
    return sections


def _wrapped(text: str, width: int, *, below: str = "") -> list[str]:
    return wrap(text, width, subsequent_indent=below, break_on_hyphens=False)
