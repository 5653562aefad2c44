"""A month of nights against the test server, as an operator has them after a month."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from arxiv_server import ArxivServer, make_library

from flows.jobs import job
from flows.jobs.report import RunReport
from support.runs import jobs
from support.runs.runs import config_for

_SATURDAY = 5
_AWAY = {9, 10}
"""Nights before the last on which the machine was off: their papers came late."""


def make_nights(
    folder: Path, until: date, *, nights: int = 30, papers: int = 1500
) -> list[RunReport]:
    """Fill `folder`/data by a run each night up to `until`, at 05:00 UTC; return their reports."""
    first = until - timedelta(days=nights)
    library = make_library(papers, 7, first, nights + 1)
    with ArxivServer(library, today=until, page_size=200) as server:
        _keep_weekends_free(server)
        config = config_for(folder, server)
        reports = []
        for ago in range(nights - 1, -1, -1):
            day = until - timedelta(days=ago)
            _change_some(server, day)
            if ago not in _AWAY:
                server.today = day
                with _at(datetime(day.year, day.month, day.day, 5, tzinfo=UTC)):
                    reports.append(jobs.nightly(config))
        return reports


def _keep_weekends_free(server: ArxivServer) -> None:
    """Move what is stamped on weekends to the Monday after it: arXiv announces nothing then."""
    for work in server.library.works():
        if (beyond := work.datestamp.weekday() - _SATURDAY) >= 0:
            server.library.restamp([work.id], work.datestamp + timedelta(days=2 - beyond))


def _change_some(server: ArxivServer, day: date) -> None:
    """Revise papers that are known, change another's metadata, and break one now and then."""
    if day.weekday() >= _SATURDAY:
        return
    known = [work for work in server.library.works() if work.datestamp < day]
    for work in known[day.day :: 37]:
        server.library.revise(work.id, day, comments=f"Revised on {day}")
    for work in known[3 :: 29 + day.day]:
        server.library.add(replace(work, datestamp=day, authors=f"{work.authors}, A. {day:%B}"))
    new = server.library.select(day, day)
    if day.day % 4 == 0 and new:
        server.library.add(replace(new[-1], title=" "))
    if day.day % 5 == 0 and len(new) > 1:
        server.library.add(replace(new[-2], authors=""))


@contextmanager
def _at(moment: datetime) -> Iterator[None]:
    """Let a run begin at a moment, from which its clock goes on."""
    started = time.perf_counter()
    with patch.object(
        job, "utc_now", lambda: moment + timedelta(seconds=time.perf_counter() - started)
    ):
        yield
