"""Keeping what the pages need besides the tables: the search index, and the home page's figures."""

from threading import Event

from flows.registry.reader import RegistryReader
from flows.registry.repeat import Say, repeat
from flows.registry.site.statistics import keep_statistics
from flows.store.layout import Layout
from flows.store.ledger import Head
from flows.store.search.build import update_index

LOOK_SECONDS = 2.0
"""Between two looks at the ledger's last entry."""


def keep_pages(layout: Layout, stop: Event, say: Say, seconds: float = LOOK_SECONDS) -> None:
    """Bring both up to what was committed until `stop` is set; the index is checked once before.

    What cannot be read or written is said once, and tried again. Of two processes one does it.
    """
    nothing = done = Head()

    def keep() -> None:
        nonlocal done
        with reader.catalog() as catalog:
            head = catalog.head()
        if head != done:
            keep_statistics(reader)
            if update_index(layout, say, check=done == nothing):
                done = head

    with RegistryReader(layout) as reader:
        repeat(keep, stop, say, seconds=seconds, waits="search and figures wait")
