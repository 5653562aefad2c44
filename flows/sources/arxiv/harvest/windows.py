"""The windows of a harvest: which there are, and harvesting one after the other."""

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING

from flows.common.errors import ArxivError, ConfigError
from flows.common.process.progress import LOGGER
from flows.ingest.run import Run, WindowOutcome
from flows.sources.arxiv.connection import explaining_errors
from flows.sources.arxiv.harvest.expected import ExpectedPapers
from flows.sources.arxiv.harvest.harvest import Harvester
from flows.sources.arxiv.harvest.listing import IncompleteError
from flows.sources.arxiv.sets import ALL_OF_ARXIV, set_of_category, title_of
from flows.store.catalog.window import Window, by_year
from transforms.parsing.oai_xml import OaiError

if TYPE_CHECKING:
    from flows.sources.arxiv.oai_client import OaiClient


def find_windows(
    client: "OaiClient",
    categories: Sequence[str],
    first: date | None,
    until: date | None,
    today: date,
) -> list[Window]:
    """Return the windows that a backfill of categories harvests; arXiv is asked what it has."""
    sets = find_sets(client, categories)
    with explaining_errors():
        earliest = client.identify().value.earliest
    begin = max(first, earliest) if first else earliest
    if begin > min(until or today, today):
        raise ConfigError(f"arXiv's days of change run from {earliest} to {today} (UTC)")
    return [window for one in sets for window in by_year(one, begin, until, today)]


def find_sets(client: "OaiClient", categories: Sequence[str]) -> list[str | None]:
    """Return the sets of `categories`, checked against arXiv's own list; None is all of arXiv."""
    if ALL_OF_ARXIV in categories:
        return [None]
    with explaining_errors():
        known = client.list_sets().value.sets
    return [set_of_category(category, known) for category in dict.fromkeys(categories)]


def harvest_windows(run: Run, client: "OaiClient", windows: Sequence[Window]) -> None:
    """Harvest windows one by one; one that fails is reported and does not stop the others.

    When arXiv cannot be reached at all, the rest is reported as not begun.
    """
    harvester = Harvester(run, client, ExpectedPapers(run, windows))
    for number, window in enumerate(windows, 1):
        if run.unreachable:
            run.windows.append(WindowOutcome(title_of(window), problem="not begun"))
            continue
        LOGGER.debug("window %d of %d: %s", number, len(windows), window)
        try:
            outcome = harvester.harvest(window)
        except (IncompleteError, OaiError) as error:
            outcome = WindowOutcome(title_of(window), problem=str(error))
        except ArxivError as error:
            outcome = WindowOutcome(title_of(window), problem=str(error))
            run.unreachable = str(error)
        run.windows.append(outcome)
