"""The command line `pith-ingest`: its start, its end and its `ExitStatus`."""

import logging
import os
import sys
from typing import TYPE_CHECKING, NoReturn, TextIO

from flows.common.errors import PithError
from flows.common.process import signals
from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import echo, fitted, sentence

if TYPE_CHECKING:
    from typer import TyperException


def main() -> NoReturn:
    """Run the command line; every error that a user can act on is one sentence."""
    status: int = ExitStatus.INTERNAL_FAULT
    try:
        signals.heed()
        try:
            status = _answer()
        finally:
            signals.ignore()
    except signals.StopError:
        pass
    if said := signals.farewell():
        status, farewell = said
        echo(farewell, err=True)
    sys.exit(status)


def _answer() -> int:
    """Do what the arguments say, and return the exit status."""
    try:
        return _run()
    except PithError as error:
        return _explain(str(error), error.exit_status)
    except Exception as error:  # the last resort, so that no user meets a traceback
        if os.environ.get("PITH_DEBUG"):
            raise
        if isinstance(error, OSError):
            return _explain(_describe(error), PithError.exit_status)
        return _explain(
            f"a fault in pith-ingest itself, please report it: {type(error).__name__}: "
            f"{sentence(str(error))} (PITH_DEBUG=1 shows where)",
            ExitStatus.INTERNAL_FAULT,
        )


def _run() -> int:
    # On our own logger only: a handler on the root would print all that Prefect logs.
    logger = logging.getLogger("pith_ingest")
    logger.addHandler(_LogHandler())
    logger.setLevel(logging.INFO)
    # A terminal that cannot show a letter is no reason to stop.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a text stream
    # Most of the start, during which a signal is answered already.
    import typer

    from flows.cli.app import app

    try:
        return app(standalone_mode=False, prog_name="pith-ingest") or ExitStatus.DONE
    except typer.Abort:
        return ExitStatus.PROBLEMS
    except typer.TyperException as error:
        _explain_words(error)
        return error.exit_code


class _LogHandler(logging.StreamHandler[TextIO]):
    """Writes what a command says meanwhile to standard error."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record, on a terminal broken between words."""
        lines = super().format(record).splitlines()
        return "\n".join(fitted(line, self.stream) for line in lines)


def _explain(message: str, exit_status: int) -> int:
    # What goes wrong because of a signal needs no words of its own.
    if not signals.farewell():
        echo(f"pith-ingest: {message}", err=True)
    return exit_status


def _explain_words(error: "TyperException") -> None:
    """Print what is wrong with the words of a command, and where to get help; or help alone."""
    from flows.cli.output.help import plain_help

    context = getattr(error, "ctx", None)
    words = error.format_message()
    if context and words == context.get_help():  # no words at all
        for line in plain_help(context):
            echo(line, err=True)
        return
    echo(f"pith-ingest: {sentence(words)}", err=True)
    if context:
        echo(f"Try '{context.command_path} --help' for help.", err=True)


def _describe(error: OSError) -> str:
    """Return what the system could not read or write, where it names that."""
    where = "an input or output" if error.filename is None else error.filename
    return f"cannot read or write {where}: {error.strerror or error}"


if __name__ == "__main__":
    main()
