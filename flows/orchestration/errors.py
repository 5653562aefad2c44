"""How a flow run fails, for Prefect and for the command that started it."""

from flows.common.errors import ArxivError
from flows.common.terminal import sentence
from flows.jobs.report import RunReport


class UnreachableRunError(ArxivError):
    """A flow's run that could not reach arXiv; `report` has what was done until then."""

    def __init__(self, report: RunReport) -> None:
        """Take the report of the run; the one argument, so that Prefect can pickle the error."""
        super().__init__(report)
        self.report = report

    def __str__(self) -> str:
        """Return why arXiv was not reached."""
        return sentence(self.report.unreachable or "")
