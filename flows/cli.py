"""The command line `pith-ingest`: its start, its end and its exit statuses.

Exit statuses: 0 done; 1 done, with rejects, unusable inputs, incomplete windows or bundles that
failed; 2 wrong use, configuration or data folder, or a file that cannot be read or changes
meanwhile; 3 arXiv unreachable; 70 a fault of our own; 130 stopped by Ctrl-C, 143 by SIGTERM.
"""

import logging
import os
import sys
from typing import NoReturn

from flows import stopping
from flows.errors import PithError

INTERNAL_FAULT = 70  # EX_SOFTWARE of sysexits.h


def main() -> NoReturn:
    """Run the command line; every error that a user can act on is one sentence."""
    status = INTERNAL_FAULT
    try:
        stopping.heed()
        try:
            status = _answer()
        finally:
            stopping.ignore()
    except stopping.StopError:
        pass
    if said := stopping.farewell():
        status, sentence = said
        _say(sentence)
    sys.exit(status)


def _answer() -> int:
    """Do what the arguments say, and return the exit status."""
    try:
        _run()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except PithError as error:
        return _explain(str(error), error.exit_status)
    except Exception as error:  # the last resort, so that no user meets a traceback
        if os.environ.get("PITH_DEBUG"):
            raise
        if isinstance(error, OSError):
            return _explain(_describe(error), PithError.exit_status)
        return _explain(
            f"a fault in pith-ingest itself, please report it: {type(error).__name__}: {error} "
            "(PITH_DEBUG=1 shows where)",
            INTERNAL_FAULT,
        )
    return 0


def _run() -> None:
    # On our own logger only: a handler on the root would print all that Prefect logs.
    logger = logging.getLogger("pith_ingest")
    logger.addHandler(logging.StreamHandler())
    logger.setLevel(logging.INFO)
    # Most of the start, during which a signal is answered already.
    from flows.commands.app import app  # noqa: PLC0415

    app()


def _explain(message: str, exit_status: int) -> int:
    # What goes wrong because of a signal needs no words of its own.
    if not stopping.farewell():
        _say(f"pith-ingest: {message}")
    return exit_status


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")


def _describe(error: OSError) -> str:
    """Say what the system could not read or write, where it names that."""
    where = "an input or output" if error.filename is None else error.filename
    return f"cannot read or write {where}: {error.strerror or error}"


if __name__ == "__main__":
    main()
