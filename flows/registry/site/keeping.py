"""Keeping what the pages need besides the tables: the search index, and the home page's figures."""

from collections.abc import Callable
from threading import Event

from flows.common.errors import StoreError
from flows.registry.reader import RegistryReader
from flows.registry.site.statistics import keep_statistics
from flows.store.layout import Layout
from flows.store.ledger import Head
from flows.store.search.build import update_index

LOOK_SECONDS = 2.0
"""Between two looks at the ledger's last entry."""

Say = Callable[[str], None]


def keep_pages(layout: Layout, stop: Event, say: Say, seconds: float = LOOK_SECONDS) -> None:
    """Bring both up to what was committed until `stop` is set; the index is checked once before.

    What cannot be read or written is said once, and tried again. Of two processes one does it.
    """
    done, said, is_checked = Head(), None, False
    with RegistryReader(layout) as reader:
        while not stop.is_set():
            try:
                with reader.catalog() as catalog:
                    head = catalog.head()
                if head != done:
                    keep_statistics(reader)
                    if update_index(layout, say, check=not is_checked):
                        done, is_checked, said = head, True, None
            except (StoreError, OSError) as error:
                if str(error) != said:
                    said = str(error)
                    say(f"search and figures wait: {error}")
            stop.wait(seconds)
