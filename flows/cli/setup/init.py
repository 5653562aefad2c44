"""The command `init`: a commented `config.yaml` and a signing key, made after a few questions."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.output.answer import say
from flows.common.terminal import Line, ask, echo

if TYPE_CHECKING:
    pass

_PACKAGE = Path(__file__).parents[2]
_SAMPLES = (_PACKAGE / "sample", _PACKAGE.parent / "data" / "sample")
"""Where the sample lies: in what was installed, or in a clone."""


def init(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="Where to put it; this folder if left out.")
    ] = Path(),
    *,
    data: Annotated[
        str | None,
        typer.Option(
            "--data",
            metavar="DIR",
            help="Folder to keep everything in, from FOLDER on, or s3://BUCKET/PREFIX.",
        ),
    ] = None,
    contact: Annotated[
        str | None,
        typer.Option(metavar="MAIL", help="Who arXiv can write to: your e-mail address."),
    ] = None,
    signer_id: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who signs, such as papers.example.org.")
    ] = None,
    base_url: Annotated[
        str | None, typer.Option(metavar="URL", help="The address that bundles name.")
    ] = None,
    resolver_name: Annotated[
        str | None, typer.Option(metavar="NAME", help="The registry's name.")
    ] = None,
    category: Annotated[
        list[str] | None,
        typer.Option(metavar="CATEGORY", help="What to harvest every night; again for more."),
    ] = None,
    schedule: Annotated[
        str | None,
        typer.Option(metavar="WHEN", help="A time such as 05:30, on weekdays, or a cron line."),
    ] = None,
    timezone: Annotated[
        str | None, typer.Option(metavar="ZONE", help="Its time zone, such as Europe/Berlin.")
    ] = None,
    sample: Annotated[
        bool, typer.Option("--sample", help="Put a sample of nine papers beside it, to try out.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing.")] = False,
) -> None:
    """Make config.yaml and a signing key in FOLDER, and say what comes next.

    It asks on a terminal; elsewhere, and with --yes, what no option says is the default. Neither a
    config.yaml nor a key that is there is ever replaced.

    Examples:
        pith-ingest init
        pith-ingest init --yes --sample try-out
        pith-ingest init --contact me@example.org --category cs.LG pith
    """
    given = {
        "data_dir": data, "contact": contact, "signer_id": signer_id, "base_url": base_url,
        "resolver_name": resolver_name, "categories": " ".join(category) if category else None,
        "cron": schedule, "timezone": timezone,
    }  # fmt: skip
    interactive = not yes and sys.stdin.isatty() and sys.stdout.isatty()
    set_up(folder, given, interactive=interactive, sample=sample)


def set_up(folder: Path, given: dict[str, str | None], *, interactive: bool, sample: bool) -> None:
    """Ask, show, and write; nothing is written before all is known and agreed to."""
    from flows.cli.setup.questions import collect
    from flows.cli.setup.writing import Plan, refuse_existing
    from flows.common.process import signals
    from flows.common.process.exit_status import ExitStatus

    signals.note("nothing was written")
    refuse_existing(folder)
    try:
        if interactive:
            echo("Enter takes what stands in [brackets]; nothing is written before the end.")
        plan = Plan.of(folder, collect(given, interactive=interactive), sample=sample)
        say(map(Line, plan.lines()))
        agreed = not interactive or ask("Write this? [Y/n]: ").lower() in {"", "y", "yes"}
    except EOFError:  # Ctrl-D
        agreed = False
    if not agreed:
        echo("nothing was written")
        raise typer.Exit(ExitStatus.PROBLEMS)
    with signals.unbroken():
        say(map(Line, plan.write()))
        signals.note("configuration and key are written")
    say(map(Line, plan.next_lines()))
