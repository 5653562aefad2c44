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
        several = f", not {' and '.join(source.title for source in single)} at once"
        raise ConfigError(
            f"name one source{several if single else ''}: {', '.join(titles)}, or {last}; "
            "'pith-ingest backfill --help' shows how"
        )
    if isinstance(single[0], SavedReplies | ArxivSearch):
        _refuse_selection(single[0], options)
    return single[0]


def refuse_source(options: BackfillOptions) -> None:
    """Raise `ConfigError` where the options name a source beside `reissue`, which reads none."""
    if named := [kind.title for kind in SOURCES if kind.from_options(options)]:
        raise ConfigError(
            "to issue receipts again reads no source: leave that out, or "
            f"{' and '.join(named)}, and run both one after the other"
        )


def _refuse_selection(source: Source, options: BackfillOptions) -> None:
    """Raise `ConfigError` for categories or days, of which this source would take no notice."""
    if options.categories or options.first or options.until:
        what = "categories" if options.categories else "days of change"
        raise ConfigError(
            f"{what} choose from arXiv's categories and from a snapshot, not from {source.title}: "
            "name one of the two"
        )
