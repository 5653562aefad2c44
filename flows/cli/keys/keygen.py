"""The command `keygen`: a signing key of one's own."""

from pathlib import Path
from typing import Annotated

import typer

from flows.cli.options import ConfigOption
from flows.common.terminal import echo


def keygen(
    file: Annotated[
        Path | None,
        typer.Argument(
            metavar="[FILE]", help="Where to write it; the configured key_file if left out."
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Make a signing key; an existing one is never replaced.

    The file can be read by you alone. Every job makes a key on first use, so this command is only
    needed to have one elsewhere or before.

    Examples:
        pith-ingest keygen
        pith-ingest keygen signing.key
    """
    from flows.common.config import load_config
    from flows.common.keys import create_key
    from transforms.signing import encode_base64, fingerprint

    file = file or load_config(config).identity.key_file
    key = create_key(file)
    echo(f"made {file}")
    echo(f"fingerprint  {fingerprint(key.public_key)}")
    echo(f"public key   {encode_base64(key.public_key)}")
