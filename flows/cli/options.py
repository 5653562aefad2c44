"""Options that several commands have."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from flows.common.config import Config

DAY = "%Y-%m-%d"

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config", envvar="PITH_CONFIG", metavar="FILE",
        help="Configuration to read instead of ./config.yaml.",
    ),
]  # fmt: skip
TrustConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="Configuration whose keys count as your own, instead of PITH_CONFIG; "
        "./config.yaml never does by itself.",
    ),
]
DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data",
        readable=False,
        metavar="DIR",
        help="Folder to keep everything in, instead of the configured one.",
    ),
]
JsonOption = Annotated[
    bool, typer.Option("--json", help="Print one JSON document instead, and nothing else.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="Say only what needs attention.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", "-v", help="Say more of what is done.")]


def typed_day(text: str) -> date:
    """Return the day that a user types, as a parser of Typer's: today is today in UTC.

    An option takes it as `date | None`, by `typer.Option(parser=typed_day, metavar="DAY")`.
    """
    from transforms.encoding.days import BadDayError, read_day

    try:
        return read_day(text, datetime.now(UTC).date())
    except BadDayError as error:
        raise typer.BadParameter(str(error)) from None


def load(config: Path | None, data: Path | None) -> "Config":
    """Read the configuration that the options name."""
    from flows.common.config import load_config

    return load_config(config, data_dir=data)
