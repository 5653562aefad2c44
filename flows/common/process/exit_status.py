"""The exit statuses of all commands, of reports and of the errors that end a command."""

from enum import IntEnum


class ExitStatus(IntEnum):
    """The end of a command, for scripts."""

    DONE = 0
    PROBLEMS = 1
    UNUSABLE = 2
    UNREACHABLE = 3
    INTERNAL_FAULT = 70  # EX_SOFTWARE of sysexits.h
    STOPPED_BY_SIGINT = 130  # 128 and the signal's number, as in shells
    STOPPED_BY_SIGTERM = 143


MEANINGS = {
    ExitStatus.DONE: "done, and all is good",
    ExitStatus.PROBLEMS: (
        "done, but with rejects, unusable inputs, incomplete windows, bundles that failed, no "
        "paper that matches, or a data folder with something gone or changed"
    ),
    ExitStatus.UNUSABLE: (
        "wrong use, configuration or data folder, or a file that cannot be read or changes "
        "meanwhile"
    ),
    ExitStatus.UNREACHABLE: "arXiv, or the registry to mirror, unreachable",
    ExitStatus.INTERNAL_FAULT: "a fault in pith-ingest itself",
    ExitStatus.STOPPED_BY_SIGINT: "stopped by Ctrl-C",
    ExitStatus.STOPPED_BY_SIGTERM: "stopped by SIGTERM",
}
"""What The table of docs/jobs.md says of each."""
