"""The command line `pith-ingest`: its commands and its exit statuses.

Exit statuses: 0 done; 1 done, with rejects, unusable inputs, incomplete windows or bundles that
failed; 2 wrong use, configuration or data folder; 3 arXiv unreachable; 70 a fault of our own.
"""

import logging
import os
import sys
from typing import NoReturn

import typer

from flows.commands import bundles, jobs, kept, trust
from flows.errors import PithError
from flows.terminal import echo, sentence

INTERNAL_FAULT = 70  # EX_SOFTWARE of sysexits.h

app = typer.Typer(
    name="pith-ingest",
    help="Turn arXiv's metadata into signed records that anyone can verify.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for _command in (
    jobs.backfill,
    jobs.nightly,
    jobs.rerun,
    jobs.serve,
    kept.show,
    kept.find,
    kept.export,
    kept.status,
    kept.rebuild_catalog,
    bundles.verify,
    bundles.merge,
    bundles.keygen,
):
    app.command()(_command)
app.add_typer(trust.app, name="trust")


def main() -> NoReturn:
    """Run the command line; every error that a user can act on is one sentence."""
    # On our own logger only: a handler on the root would print all that Prefect logs.
    logger = logging.getLogger("pith_ingest")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.INFO)
    # A terminal that cannot show a letter is no reason to stop.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a text stream
    try:
        exit_status = app(standalone_mode=False)
    except typer.TyperException as error:
        _explain(error)
        sys.exit(error.exit_code)
    except PithError as error:
        _fail(str(error), error.exit_status)
    except Exception as error:  # the last resort, so that no user meets a traceback
        if os.environ.get("PITH_DEBUG"):
            raise
        _fail(
            f"a fault in pith-ingest itself, please report it: {type(error).__name__}: "
            f"{sentence(str(error))} (PITH_DEBUG=1 shows where)",
            INTERNAL_FAULT,
        )
    sys.exit(exit_status or 0)


def _explain(error: typer.TyperException) -> None:
    """Say what is wrong with the words of a command, as Typer does, but safely."""
    context = getattr(error, "ctx", None)
    words = error.format_message()
    if context and words == context.get_help():  # no words at all
        usage, words = words, ""
    else:
        usage = (
            f"{context.get_usage()}\nTry '{context.command_path} --help' for help.\n"
            if context
            else ""
        )
    for line in usage.splitlines():
        echo(line, err=True)
    if words:
        echo(f"Error: {sentence(words)}", err=True)


def _fail(message: str, exit_status: int) -> NoReturn:
    echo(f"pith-ingest: {message}", err=True)
    sys.exit(exit_status)


if __name__ == "__main__":
    main()
