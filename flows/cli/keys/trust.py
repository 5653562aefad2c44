"""The commands `trust add`, `list` and `remove`: whose bundles you trust, for `verify`."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from flows.cli.options import TrustConfigOption
from flows.cli.output.help import Command, Group
from flows.common.terminal import echo

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    help="""Say whose keys you trust: a file of your own, ~/.config/pith-ingest/trusted-keys.json.

    Examples:
        pith-ingest trust list
    """,
)


@app.command(cls=Command)
def add(
    key: Annotated[str, typer.Argument(metavar="KEY", help="A public key: 32 bytes in base64.")],
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="WHERE", help="Where you have it from, such as a URL; for you alone."
        ),
    ] = "the command line",
) -> None:
    """Trust a public key from now on; one that is trusted already stays as it is.

    Examples:
        pith-ingest trust add 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        pith-ingest trust add 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= --from mail
    """
    from flows.cli.keys.trusted_keys import save_key
    from transforms.signing import fingerprint

    saved, is_new = save_key(key, source, datetime.now(UTC))
    echo(f"{'trusted' if is_new else 'trusted already'}: {fingerprint(saved.raw)}, {saved.reason}")


@app.command("list", cls=Command)
def show(config: TrustConfigOption = None) -> None:
    """Show each key that `verify` trusts where nothing is named, and why.

    Examples:
        pith-ingest trust list
    """
    from flows.cli.keys.trusted_keys import default_trust
    from transforms.signing import encode_base64, fingerprint

    for key, reason in default_trust(config).items():
        echo(f"{fingerprint(key)}  {encode_base64(key)}  {reason}")


@app.command(cls=Command)
def remove(
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY", help="The key in base64, or 8 or more digits of its fingerprint."
        ),
    ],
) -> None:
    """Trust a key no more that 'trust add' has added.

    Examples:
        pith-ingest trust remove 2eb2c752
    """
    from flows.cli.keys.trusted_keys import remove_key
    from transforms.signing import fingerprint

    removed = remove_key(key)
    echo(f"not trusted any more: {fingerprint(removed.raw)}, {removed.reason}")
