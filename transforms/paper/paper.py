"""One paper as arXiv has it: the type that every source makes and the core consumes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import NamedTuple

from transforms.encoding.timestamps import EARLIEST_YEAR, from_arxiv

MAX_FIELD = 1_000_000
"""Characters in one field. arXiv's longest author lists stay under 100,000."""

# Possessive, since what could be given back takes 68 bytes of memory a character.
_ID = re.compile(r"\d{4}\.\d{4,5}|[a-z]++(?:-[a-z]++)*+(?:\.[A-Z]{2})?/\d{7}", re.ASCII)
_CATEGORY = re.compile(r"[a-z]++(?:-[a-z]++)*+(?:\.[A-Za-z]++(?:-[a-z]++)*+)?", re.ASCII)
_VERSION = re.compile(r"v([1-9]\d{0,3})", re.ASCII)
_HARD_WRAP = re.compile(r"\n(?!  )")


class BadPaperError(ValueError):
    """A record that cannot become a `Paper`; the message is the reject's reason."""


class Version(NamedTuple):
    """One version of a paper: its number from 1, when it was submitted (UTC), size as `16kb`."""

    number: int
    created: datetime
    size: str | None = None
    source_type: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    r"""One paper's metadata, cleaned of layout but not of TeX: the same from whichever source.

    `title` is one line; `abstract` has no hard wraps, its paragraphs stand apart by `\n  `;
    `authors` is arXiv's raw string on one line; `categories` has the primary one first;
    `license` is `""` where arXiv gives none; `datestamp` is the day of the last change;
    `acm_class` is as served: arXiv's server of 2025 writes the MSC class there, or `None`.
    Made by `make_paper`, which checks all of that.
    """

    id: str
    versions: tuple[Version, ...]
    title: str
    abstract: str
    authors: str
    categories: tuple[str, ...]
    license: str = ""
    submitter: str | None = None
    comments: str | None = None
    journal_ref: str | None = None
    doi: str | None = None
    report_no: str | None = None
    msc_class: str | None = None
    acm_class: str | None = None
    datestamp: date | None = None

    @property
    def version(self) -> int:
        """The newest version's number."""
        return self.versions[-1].number

    @property
    def submitted_at(self) -> datetime:
        """The time at which version 1 was submitted."""
        return self.versions[0].created

    @property
    def withdrawn(self) -> bool:
        """True where the newest version is arXiv's empty one: `0kb`, source type `I`."""
        newest = self.versions[-1]
        return newest.size == "0kb" and newest.source_type == "I"


@dataclass(frozen=True, slots=True)
class Reject:
    """A record or line that could not be used: its place, the reason, its bytes as they came.

    `position` counts the records of a reply from 0, the lines of a file from 1. `arxiv_id` and
    `datestamp` are what its header claims, if that can be read.
    """

    position: int
    arxiv_id: str | None
    reason: str
    raw: bytes
    datestamp: date | None = None


def make_version(
    name: str, created: str, size: str | None = None, source_type: str | None = None
) -> Version:
    """Return the version of a source's raw fields, such as `v1` and arXiv's form of a date.

    Raises `BadPaperError` with the reason.
    """
    number = _VERSION.fullmatch(name)
    if not number:
        raise BadPaperError(f"{name!r:.80} is not a version such as v1")
    try:
        submitted = from_arxiv(created)
    except ValueError as error:
        raise BadPaperError(f"date of {name}: {error}") from None
    if submitted.year < EARLIEST_YEAR:
        raise BadPaperError(f"date of {name}: {created!r:.80} is before {EARLIEST_YEAR}")
    return Version(int(number[1]), submitted, size, source_type)


def make_paper(
    *,
    arxiv_id: str,
    versions: Sequence[Version],
    title: str | None,
    abstract: str | None,
    authors: str | None,
    categories: str | None,
    license_url: str | None = None,
    submitter: str | None = None,
    comments: str | None = None,
    journal_ref: str | None = None,
    doi: str | None = None,
    report_no: str | None = None,
    msc_class: str | None = None,
    acm_class: str | None = None,
    datestamp: date | None = None,
) -> Paper:
    """Return the `Paper` of raw fields, `categories` as one string; raises `BadPaperError`."""
    return Paper(
        id=check_id(arxiv_id),
        versions=_check_versions(versions),
        title=one_line(_required("title", title)),
        abstract=unwrap(_required("abstract", abstract)),
        authors=one_line(_required("authors", authors)),
        categories=_check_categories(_required("categories", categories)),
        license=_optional("license", license_url) or "",
        submitter=_optional("submitter", submitter),
        comments=_optional("comments", comments),
        journal_ref=_optional("journal-ref", journal_ref),
        doi=_optional("doi", doi),
        report_no=_optional("report-no", report_no),
        msc_class=_optional("msc-class", msc_class),
        acm_class=_optional("acm-class", acm_class),
        datestamp=datestamp,
    )


def check_id(arxiv_id: str) -> str:
    """Return `arxiv_id` if it has arXiv's form without a version, else raise `BadPaperError`.

    The form (`1906.10822`, `math/0410603`) leaves no room for a path or a query.
    """
    if not _ID.fullmatch(arxiv_id):
        raise BadPaperError(f"{arxiv_id!r:.80} is not an arXiv id")
    return arxiv_id


def one_line(text: str) -> str:
    """Return `text` on one line, spaces within it kept (spec, section 4)."""
    if "\n" not in text:
        return text.strip()
    return " ".join(filter(None, map(str.strip, text.split("\n"))))


def unwrap(text: str) -> str:
    r"""Return `text` without the hard wraps of older replies; breaks `\n  ` stay (spec, 4)."""
    return _HARD_WRAP.sub(" ", text.strip())


def _check_versions(versions: Sequence[Version]) -> tuple[Version, ...]:
    numbers = [version.number for version in versions]
    if not numbers or numbers[0] != 1:
        raise BadPaperError("no version 1, so no submission date")
    if any(later <= earlier for earlier, later in pairwise(numbers)):
        raise BadPaperError(f"version numbers do not rise: {numbers!r:.80}")
    return tuple(versions)


def _check_categories(text: str) -> tuple[str, ...]:
    categories = tuple(text.split())
    for category in categories:
        if not _CATEGORY.fullmatch(category):
            raise BadPaperError(f"{category!r:.80} is not an arXiv category")
    return categories


def _required(name: str, text: str | None) -> str:
    if text is None:
        raise BadPaperError(f"no {name}")
    if not text.strip():
        raise BadPaperError(f"{name} is empty")
    return _within_limits(name, text)


def _optional(name: str, text: str | None) -> str | None:
    return (one_line(_within_limits(name, text)) or None) if text is not None else None


def _within_limits(name: str, text: str) -> str:
    if len(text) > MAX_FIELD:
        raise BadPaperError(f"{name} has {len(text)} characters, more than {MAX_FIELD}")
    if not text.isascii():
        try:
            text.encode()  # fails for surrogates alone, much faster than a look at each character
        except UnicodeEncodeError:
            raise BadPaperError(
                f"{name} holds a lone surrogate, which is not a character"
            ) from None
    return text
