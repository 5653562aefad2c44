"""Errors that a user can act on; the command line prints them as one sentence."""

from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import sentence


class PithError(Exception):
    """The reason and what to try, in one sentence; ends a command with `exit_status`."""

    exit_status = ExitStatus.UNUSABLE

    def __init__(self, *args: object) -> None:
        """Keep the sentence as it may be shown: Prefect and Dask show it by themselves too."""
        super().__init__(*(sentence(arg) if isinstance(arg, str) else arg for arg in args))


class ConfigError(PithError):
    """The configuration, the key or the arguments cannot be used."""


class NoDataFolderError(ConfigError):
    """Nothing names a data folder: no configuration, no option, no variable."""


class StoreError(PithError):
    """The data folder cannot be used: no rights, no space, locked, damaged or too new."""


class InputFileError(PithError):
    """A file with papers cannot be read, or not to its end."""


class LostInputError(InputFileError):
    """A file changed while it was read, or the system cannot read it on: the run stops."""


class WorkerError(PithError):
    """A worker process ended again and again, without an error of its own."""


class ArxivError(PithError):
    """ArXiv did not answer as it should; `exit_status` tells that from a wrong setting."""

    exit_status = ExitStatus.UNREACHABLE


class ArxivUnreachableError(ArxivError):
    """A request failed in each attempt, though the failure was transient: try again later."""


class ArxivDeniedError(ArxivError):
    """ArXiv answered 403: it denies this crawler, and a retry makes that worse."""


class ArxivReplyError(ArxivError):
    """A reply that a retry does not mend: a redirection elsewhere, a 404, one too large."""
