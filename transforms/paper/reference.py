"""The names of papers that people paste: arXiv ids, links, DOIs, Pith Numbers, text with one."""

import re
from dataclasses import dataclass, replace

from transforms.bundle.record import SUFFIX_LENGTH

_LONGEST = 10_000
"""Characters: more than any citation has."""

_MOST_SHOWN = 3

_BRACKETS = "<([{\"'"
_TRAILING = ">)]}\"'.,;:!?"
# What stands before an id where it can be nothing else; sites that are asked for arXiv's ids, and
# the addresses of any registry.
_PREFIX = r"""
    (?: arxiv:
      | oai:arxiv\.org:
      | (?:doi:\s{0,9} | (?:https?://)? (?:dx\.|www\.)? doi\.org/)? 10\.48550/arxiv\.
      | (?:https?://)? (?:[a-z]{2,8}\.)? arxiv\.org/ (?:abs|pdf|html|format|ps|src|e-print)/
      | (?:corr,?\s{1,9})? abs/
      | (?:https?://)? (?:www\.)? ar5iv (?:\.labs\.arxiv)? \.org/ (?:abs|pdf|html)/
      | (?:https?://)? (?:www\.)? alphaxiv\.org/ (?:abs|pdf|html|overview)/
      | (?:https?://)? (?:www\.)? huggingface\.co/papers/
      | (?:https?://)? (?:www\.)? scirate\.com/arxiv/
      | (?:https?://)? (?:www\.|api\.)? semanticscholar\.org/ arxiv [:/]
      | https?://[^\s/]{1,255}/ (?:\.well-known/)? pith/
    ) \s{0,9}
"""
_ID = r"""
    (?: (?P<new> \d{4}\.\d{4,5})
      | (?P<archive> [a-z]+(?:-[a-z]+)*) (?:\.[a-z]+(?:-[a-z]+)*)? / (?P<old> \d{7})
    ) (?:v (?P<version> [1-9]\d{0,3}))?
"""
_TAIL = r"(?: \.pdf | \.json | /(?:bundle|state)\.json )?"
# Names as they stand in other text; what is part of a longer word, number or path is none.
_NAMED_ID = re.compile(
    rf"(?<![\w./-]) (?:{_PREFIX})? {_ID} {_TAIL} (?! [\w-] | [./]\w )",
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_NAMED_NUMBER = re.compile(
    rf"""
    (?<![\w./-])
    (?: https?://[^\s/]{{1,255}}/ (?:\.well-known/)? pith/ (?: (?P<year> pith:\d{{4}}:) | pith:)?
      | (?P<full> pith:\d{{4}}:)
      | pith:
    ) (?P<suffix> [a-z2-7]{{8,{SUFFIX_LENGTH}}}) {_TAIL} (?! [\w-] | [./:]\w )
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
# In capitals only and by themselves: words of eight letters are no numbers.
_BARE_NUMBER = re.compile(r"[A-Z2-7]{8,26}", re.ASCII)


class BadReferenceError(ValueError):
    """A text that names no paper, or several; the message says which forms do."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A paper named by its arXiv id, perhaps one version of it, or by a Pith Number.

    Either `arxiv_id` or `pith_number` is set. The id is arXiv's canonical one (`math/0309136`, also
    for `math.GT/0309136`); the number is a whole one, `pith:2019:` and 26 characters, or a short
    one, `pith:` and at least 8 characters. `beside` is a number that the text has beside the id, as
    a registry's citations have: of this paper, or the text names two.
    """

    arxiv_id: str | None = None
    version: int | None = None
    pith_number: str | None = None
    beside: str | None = None

    def __str__(self) -> str:
        """Return its shortest form, such as `1906.10822v1`."""
        version = f"v{self.version}" if self.version else ""
        return self.pith_number or f"{self.arxiv_id}{version}"


def parse_reference(text: str) -> Reference:
    """Return the paper of an id, a link, a DOI of arXiv's or a Pith Number, in any case.

    It may stand in other text, such as a citation or the line in a PDF's margin, as often as it
    likes, but no other paper may. Raises `BadReferenceError`.
    """
    named = named_references(text)
    if not named:
        raise BadReferenceError(
            f"{text!r:.80} is not an arXiv id such as 1906.10822 or math/0410603, nor a link to a "
            "paper on arXiv, its DOI there, or a Pith Number"
        )
    if len(named) > 1:
        raise BadReferenceError(_several(text, [str(one) for one in named]))
    return named[0]


def named_references(text: str) -> list[Reference]:
    """Return all papers that a text names in the forms of `parse_reference`, perhaps none."""
    if len(text) > _LONGEST:
        return []
    papers, numbers = _named_papers(text), _named_numbers(text)
    if len(papers) == len(numbers) == 1:
        return [replace(papers[0], beside=numbers[0])]
    if not papers and not numbers and (bare := _bare_number(text)):
        numbers = [bare]
    return [*papers, *(Reference(pith_number=number) for number in numbers)]


def _named_papers(text: str) -> list[Reference]:
    """Return each paper that a text names by an id, or each version where it names several."""
    found: dict[str, dict[int | None, None]] = {}  # in the text's order
    for match in _NAMED_ID.finditer(text):
        # The subject class of an old id, as in math.GT/0309136, is no part of its canonical form.
        arxiv_id = match["new"] or f"{match['archive'].lower()}/{match['old']}"
        version = int(match["version"]) if match["version"] else None
        found.setdefault(arxiv_id, {})[version] = None
    return [
        Reference(arxiv_id, version)
        for arxiv_id, versions in found.items()
        for version in versions
        if version or len(versions) == 1
    ]


def _named_numbers(text: str) -> list[str]:
    """Return each Pith Number of a text, but for short forms of those that it has whole."""
    found: dict[str, str] = {}
    for match in _NAMED_NUMBER.finditer(text):
        suffix, year = match["suffix"].upper(), (match["full"] or match["year"] or "").lower()
        if len(suffix) == SUFFIX_LENGTH or not year:
            found[suffix] = f"{year}{suffix}" if year else found.get(suffix, f"pith:{suffix}")
    return [
        number
        for suffix, number in found.items()
        if not any(other != suffix and other.startswith(suffix) for other in found)
    ]


def _bare_number(text: str) -> str | None:
    name = text.strip().lstrip(_BRACKETS).rstrip(_TRAILING)
    return f"pith:{name}" if _BARE_NUMBER.fullmatch(name) else None


def _several(text: str, names: list[str]) -> str:
    more = len(names) - _MOST_SHOWN
    *others, last = [*names[:_MOST_SHOWN], f"{more} more"] if more > 0 else names
    return f"{text!r:.60} names {', '.join(others)} and {last}; name one paper"
