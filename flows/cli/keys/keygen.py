"""The command `keygen`: a signing key of one's own."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import ConfigOption, JsonOption
from flows.cli.output.answer import answer
from flows.cli.output.blocks import Fields
from flows.common.terminal import Line


@dataclass(frozen=True, slots=True)
class MadeKey:
    """What `keygen --json` prints: the key's file, and what of it everybody may know."""

    file: Path
    fingerprint: str
    public_key: str


def keygen(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="Where to write it; the configured key_file if left out."
        ),
    ] = None,
    *,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Make a signing key; an existing one is never replaced.

    The file can be read by you alone. Every job makes a key on first use, so this command is only
    needed to have one elsewhere or before.

    Examples:
        pith-ingest keygen
        pith-ingest keygen signing.key
    """
    from flows.common.config import load_identity
    from flows.common.keys import create_key
    from transforms.signing import encode_base64, fingerprint

    file = file or load_identity(config).key_file
    key = create_key(file)
    made = MadeKey(file, fingerprint(key.public_key), encode_base64(key.public_key))
    facts = Fields([("fingerprint", made.fingerprint), ("public key", made.public_key)])
    answer(made, [Line(f"made {file}"), facts], as_json=as_json)
