"""Asking arXiv as configured, and what it means for a run that arXiv does not answer."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from flows.common.config import ArxivConfig, Config
from flows.common.counts import counted
from flows.common.errors import ArxivError, ArxivReplyError
from flows.common.http.pace import Pace
from flows.ingest.run import Run
from transforms.parsing.oai_xml import OaiError

if TYPE_CHECKING:
    from flows.sources.arxiv.oai_client import OaiClient

LEAST_HOURS = 2
"""Less is said in minutes."""


def connect(config: Config) -> "OaiClient":
    """Return a client for arXiv's OAI-PMH service as configured."""
    # HTTP is 0.1 s that a run without it can spare.
    from flows.sources.arxiv.http import make_user_agent
    from flows.sources.arxiv.oai_client import OaiClient

    arxiv = config.arxiv
    user_agent = make_user_agent(arxiv.contact)
    return OaiClient(arxiv.oai_url, user_agent, pace_of(arxiv), config.limits.retry)


def pace_of(config: ArxivConfig) -> Pace:
    """Return the pace that all runs on this machine share.

    ArXiv's terms of use for its APIs: one request every three seconds and one connection at a
    time, over OAI-PMH and the Atom API together, and over all the machines under one's control.
    """
    return Pace(config.pace_file, config.pace_seconds)


def seconds_of(config: ArxivConfig, requests: int) -> float:
    """Return the least that so many requests take at arXiv's pace, in seconds."""
    return requests * config.pace_seconds


def count_requests(config: ArxivConfig, requests: int) -> str:
    """Return so many requests, and how long they take, as a line for a person."""
    hours = seconds_of(config, requests) / 3600
    least = f"{hours:.1f} hours" if hours >= LEAST_HOURS else f"{hours * 60:.1f} minutes"
    pace = f"one in {config.pace_seconds:g} s"
    return (
        f"about {counted(requests, 'requests')} to arXiv, {pace}: at least {least}, "
        "and the time that arXiv takes to answer"
    )


@contextmanager
def explaining_errors() -> Iterator[None]:
    """Turn an error reply to a question that every harvest asks into an error for the user."""
    try:
        yield
    except OaiError as error:
        raise ArxivReplyError(f"arXiv does not say what it holds: {error}") from None


@contextmanager
def noting_unreachable(run: Run) -> Iterator[None]:
    """Note in the report that arXiv could not be reached; what came until then stays."""
    try:
        yield
    except ArxivError as error:
        run.unreachable = str(error)
