"""The commands `trust add`, `list` and `remove`: whose bundles you trust, for `verify`."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import JsonOption, TrustConfigOption
from flows.cli.output.answer import answer
from flows.cli.output.blocks import Column, Table
from flows.cli.output.help import Command, Group
from flows.common.terminal import Line

if TYPE_CHECKING:
    from flows.cli.keys.trusted_keys import SavedKey

app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    help="""Say whose keys you trust: a file of your own, ~/.config/pith-ingest/trusted-keys.json.

    Examples:
        pith-ingest trust list
    """,
)

_COLUMNS = [Column("", whole=True), Column("", whole=True), Column("", whole=True)]


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key that is trusted, or was: its fingerprint, itself in base64, and why."""

    fingerprint: str
    public_key: str
    reason: str


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """What `trust list --json` prints."""

    keys: Sequence[TrustedKey]


@dataclass(frozen=True, slots=True)
class AddedKey:
    """What `trust add --json` prints; `is_new` is false where it was trusted already."""

    key: TrustedKey
    is_new: bool


@dataclass(frozen=True, slots=True)
class RemovedKey:
    """What `trust remove --json` prints."""

    key: TrustedKey


@app.command(cls=Command)
def add(
    key: Annotated[str, typer.Argument(metavar="KEY", help="A public key: 32 bytes in base64.")],
    source: Annotated[
        str,
        typer.Option(
            "--from", metavar="WHERE", help="Where you have it from, such as a URL; for you alone."
        ),
    ] = "the command line",
    *,
    as_json: JsonOption = False,
) -> None:
    """Trust a public key from now on; one that is trusted already stays as it is.

    Examples:
        pith-ingest trust add 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
        pith-ingest trust add 11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo= --from mail
    """
    from flows.cli.keys.trusted_keys import save_key

    saved, is_new = save_key(key, source, datetime.now(UTC))
    added = AddedKey(_described(saved), is_new)
    said = f"{'trusted' if is_new else 'trusted already'}: {_named(added.key)}"
    answer(added, [Line(said)], as_json=as_json)


@app.command("list", cls=Command)
def show(*, as_json: JsonOption = False, config: TrustConfigOption = None) -> None:
    """Show each key that `verify` trusts where nothing is named, and why.

    Examples:
        pith-ingest trust list
    """
    from flows.cli.keys.trusted_keys import default_trust
    from transforms.signing import encode_base64, fingerprint

    keys = [
        TrustedKey(fingerprint(key), encode_base64(key), reason)
        for key, reason in default_trust(config).items()
    ]
    rows = [[key.fingerprint, key.public_key, key.reason] for key in keys]
    answer(TrustedKeys(keys), [Table(_COLUMNS, rows)], as_json=as_json)


@app.command(cls=Command)
def remove(
    key: Annotated[
        str,
        typer.Argument(
            metavar="KEY", help="The key in base64, or 8 or more digits of its fingerprint."
        ),
    ],
    *,
    as_json: JsonOption = False,
) -> None:
    """Trust a key no more that 'trust add' has added.

    Examples:
        pith-ingest trust remove 2eb2c752
    """
    from flows.cli.keys.trusted_keys import remove_key

    removed = RemovedKey(_described(remove_key(key)))
    answer(removed, [Line(f"not trusted any more: {_named(removed.key)}")], as_json=as_json)


def _described(saved: "SavedKey") -> TrustedKey:
    from transforms.signing import fingerprint

    return TrustedKey(fingerprint(saved.raw), saved.public_key, saved.reason)


def _named(key: TrustedKey) -> str:
    return f"{key.fingerprint}, {key.reason}"
