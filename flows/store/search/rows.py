"""The papers of a shard as the search index holds them, and by what they can be chosen."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from flows.store.layout import Layout
from flows.store.parquet.shards import read_rows

EPOCH = date(1970, 1, 1)
_COLUMNS = [
    "arxiv_id", "version", "pith_number", "title", "title_ascii", "authors", "author_names",
    "authors_ascii", "primary_category", "cross_lists", "license", "submitted_at", "withdrawn",
]  # fmt: skip


class IndexedPaper(NamedTuple):
    """A paper in the index; a key is None where it is the text itself.

    `categories` has the primary one first, with spaces between them; `day` is that of the first
    version, since 1970.
    """

    arxiv_id: str
    version: int
    pith_number: str
    title: str
    title_key: str | None
    authors: str
    authors_key: str | None
    categories: str
    licence: str
    withdrawn: bool
    day: int

    @property
    def alike(self) -> "Alike":
        """What has its facets."""
        year = (EPOCH + timedelta(days=self.day)).year
        return Alike(self.categories, self.licence, year)

    @property
    def key(self) -> str:
        """The ASCII text whose words are looked for."""
        title = self.title if self.title_key is None else self.title_key
        authors = self.authors if self.authors_key is None else self.authors_key
        return f"{title} {authors}"


class Alike(NamedTuple):
    """What papers with the same facets have in common."""

    categories: str
    licence: str
    year: int

    @property
    def facets(self) -> set[tuple[str, str]]:
        """Kind and value of all by which such papers can be chosen.

        `category` also has archives, such as `cs`, each category of which counts as theirs.
        """
        each = self.categories.split()
        chosen = {("category", value) for value in each}
        chosen.update(("category", value.partition(".")[0]) for value in each)
        chosen.add(("year", f"{self.year:04}"))
        return chosen | {("licence", self.licence)} if self.licence else chosen


def read_papers(layout: Layout, shard: str) -> Iterator[IndexedPaper]:
    """Yield the papers of a shard; raises `StoreError` that names a file that cannot be read."""
    for row in read_rows(layout, "papers", shard, _COLUMNS):
        (arxiv_id, version, number, title, title_key, text, names, authors_key, primary, cross,
         licence, submitted_at, withdrawn) = row  # fmt: skip
        authors = ", ".join(names) or text
        yield IndexedPaper(
            arxiv_id,
            version,
            number,
            title,
            None if title_key == title else title_key,
            authors,
            None if authors_key == authors else authors_key,
            " ".join((primary, *cross)),
            licence,
            withdrawn,
            (submitted_at.date() - EPOCH).days,
        )
