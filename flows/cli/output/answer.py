"""The one way for a command to answer: its document as JSON, or blocks for a person."""

import sys
from collections.abc import Iterable

from flows.cli.output.blocks import Block
from flows.common.terminal import echo, render


def answer(document: object, blocks: Iterable[Block], *, as_json: bool) -> None:
    """Print what a command found: `document` as JSON, or else `blocks`, which say the same.

    The document is of any type that msgspec takes: a dataclass, a `TypedDict`, a list of either.
    """
    if as_json:
        print_json(document)
    else:
        say(blocks)


def say(blocks: Iterable[Block]) -> None:
    """Print blocks for a person: laid out on a terminal, as plain lines elsewhere."""
    if sys.stdout.isatty():
        # 40 ms that only a terminal needs.
        from flows.cli.output.screen import laid_out

        render(laid_out(blocks))
        return
    from flows.cli.output.plain import plain_lines

    for line in plain_lines(blocks):
        echo(line)


def print_json(document: object) -> None:
    """Print one JSON document, indented, in ASCII: no text from outside acts on a terminal."""
    import json

    import msgspec

    builtin = msgspec.to_builtins(document, enc_hook=str)
    for line in json.dumps(builtin, indent=2).splitlines():
        echo(line)
