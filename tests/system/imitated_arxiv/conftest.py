"""The imitation of arXiv, and a client of it."""

from collections.abc import Iterator

import httpx
import pytest
from arxiv_server import ArxivServer, make_library
from support.papers.oai_client import DAY, TODAY


@pytest.fixture
def server() -> Iterator[ArxivServer]:
    """Serve 40 papers of one day, ten a page."""
    library = make_library(40, 7, DAY, 1)
    with ArxivServer(library, today=TODAY, page_size=10, id_page_size=25) as running:
        yield running


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    """Open a client which keeps its connection."""
    with httpx.Client(timeout=60) as opened:
        yield opened
