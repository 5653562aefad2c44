"""Run the server as a process: `PYTHONPATH=tests python -m arxiv_server`, until it is ended."""

import argparse
import signal
import threading
from datetime import date, timedelta

from arxiv_server.papers.generate import make_library
from arxiv_server.server import ArxivServer


def main() -> None:
    """Print the server's URL (`/oai` and `/api/query` are below it) and serve until SIGTERM."""
    parser = argparse.ArgumentParser(prog="arxiv_server", description=__doc__)
    parser.add_argument("--count", type=int, default=500, help="papers to generate")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first-day", type=date.fromisoformat, default=date(2026, 3, 2))
    parser.add_argument("--days", type=int, default=5, help="days over which they are stamped")
    parser.add_argument("--page-size", type=int, default=1300)
    parser.add_argument("--id-page-size", type=int, default=20_000)
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    library = make_library(options.count, options.seed, options.first_day, options.days)
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with ArxivServer(
        library,
        today=options.first_day + timedelta(days=options.days),
        page_size=options.page_size,
        id_page_size=options.id_page_size,
        port=options.port,
    ) as server:
        print(server.url, flush=True)
        ended.wait()


main()
