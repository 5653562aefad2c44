"""The sources of a backfill, for the command line, the flow and the dry run alike."""

from flows.common.errors import ConfigError
from flows.sources.arxiv_categories import ArxivCategories
from flows.sources.arxiv_search import ArxivSearch
from flows.sources.kaggle_metadata import KaggleMetadata
from flows.sources.saved_replies import SavedReplies
from flows.sources.source import BackfillOptions, Source

SOURCES: list[type[Source]] = [SavedReplies, KaggleMetadata, ArxivSearch, ArxivCategories]


def choose_source(options: BackfillOptions) -> Source:
    """Return the one source that the options name; raises `ConfigError` for none or several.

    Categories may go with another source, which then takes of them what it can.
    """
    named = [source for kind in SOURCES if (source := kind.from_options(options))]
    single = [source for source in named if not isinstance(source, ArxivCategories)] or named
    if len(single) != 1:
        *titles, last = [kind.title for kind in SOURCES]
        raise ConfigError(
            f"name one source: {', '.join(titles)}, or {last}; "
            "'pith-ingest backfill --help' shows how"
        )
    return single[0]
