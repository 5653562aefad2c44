"""A data folder with something of everything that the site shows."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

from arxiv_server import ArxivServer, make_library

from flows.jobs import job
from support.papers.oai_pages import page, record
from support.runs import jobs
from support.runs.runs import SAMPLE, config_for, config_in, process

NIGHTS = (60, 59, 58, 45, 30, 15, 8, 3, 2, 1)
"""Days before today on which the harvest ran."""


def make_demo(folder: Path, today: date, papers: int = 400) -> None:
    """Fill `folder`/data: the sample, a year of made-up arXiv with a hole, one paper's history."""
    library = make_library(papers, 5, today - timedelta(days=340), 341)
    with ArxivServer(library, today=today, page_size=200) as server:
        config = config_for(folder, server)
        for days in NIGHTS:
            _night(server, folder, today - timedelta(days=days))
        first, until = today - timedelta(days=320), today - timedelta(days=110)
        server.today = today
        jobs.backfill_categories(config, ["all"], first, until)
    jobs.backfill_raw(config_in(folder), [SAMPLE])
    for authors, day in (("A. Author and B. Other", "2011-02-03"), ("A. Author", "2012-02-03")):
        process(folder, page(record("0903.0442", authors=authors, datestamp=day)))


def _night(server: ArxivServer, folder: Path, day: date) -> None:
    server.today = day
    changed = server.library.works()[:: 97 + day.day]
    for work in changed[:4]:
        server.library.revise(work.id, day, comments=f"Revised on {day}")
    moment = datetime.combine(day, datetime.min.time(), UTC) + timedelta(hours=5)
    with patch.object(job, "utc_now", lambda: moment):
        jobs.nightly(config_for(folder, server))
