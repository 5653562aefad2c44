"""The names of papers that people paste: arXiv ids, links, DOIs, Pith Numbers."""

import re
from dataclasses import dataclass

from transforms.bundle.record import SUFFIX_LENGTH

_LONGEST = 500
"""Characters; no reference is as long, and hostile text costs no time."""

_BRACKETS = "<([{\"'"
_TRAILING = ">)]}\"'.,;:!?"
# The stamp in a PDF's margin: arXiv:1906.10822v1 [cs.LG] 26 Jun 2019
_STAMP = re.compile(r"\s+\[[\w.-]+\](?:\s+\d{1,2} \w{3} \d{4})?\Z", re.ASCII)
_QUERY = re.compile(r"[?#].*\Z", re.DOTALL)
_PREFIX = re.compile(
    r"""
    \A (?: arxiv: | oai:arxiv\.org:
      | (?:https?://)? (?:www\.|export\.)? arxiv\.org/(?:abs|pdf|html|format)/
      | (?:doi: | (?:https?://)?(?:dx\.)?doi\.org/)? \s* 10\.48550/arxiv\.
    ) \s*
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_ENDING = re.compile(r"(?:\.pdf)?/*\Z", re.ASCII | re.IGNORECASE)
_ID = re.compile(
    r"""
    (?: (?P<new> \d{4}\.\d{4,5})
      | (?P<archive> [a-z]+(?:-[a-z]+)*) (?:\.[a-z]+(?:-[a-z]+)*)? / (?P<old> \d{7})
    ) (?:v (?P<version> [1-9]\d{0,3}))?
    """,
    re.ASCII | re.IGNORECASE | re.VERBOSE,
)
_PREFIXED_NUMBER = re.compile(
    r"(?:https?://pith\.science/pith/|(?P<full>pith:\d{4}:)|pith:)(?P<suffix>[a-z2-7]{8,26})",
    re.ASCII | re.IGNORECASE,
)
# In capitals only: words of eight letters are no numbers.
_BARE_NUMBER = re.compile(r"[A-Z2-7]{8,26}", re.ASCII)


class BadReferenceError(ValueError):
    """A text that names no paper; the message says which forms do."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A paper named by its arXiv id, perhaps one version of it, or by a Pith Number.

    Either `arxiv_id` or `pith_number` is set. The id is arXiv's canonical one (`math/0309136`, also
    for `math.GT/0309136`); the number is a whole one, `pith:2019:` and 26 characters, or a short
    one, `pith:` and at least 8 characters.
    """

    arxiv_id: str | None = None
    version: int | None = None
    pith_number: str | None = None

    def __str__(self) -> str:
        """Return its shortest form, such as `1906.10822v1`."""
        version = f"v{self.version}" if self.version else ""
        return self.pith_number or f"{self.arxiv_id}{version}"


def parse_reference(text: str) -> Reference:
    """Return the paper of an id, a link to arXiv, its DOI there or a Pith Number, in any case.

    Space and punctuation around it, queries, fragments and `.pdf` are left aside. Raises
    `BadReferenceError`.
    """
    reference = _read(text.strip()) if len(text) <= _LONGEST else None
    if reference is None:
        raise BadReferenceError(
            f"{text!r:.80} is not an arXiv id such as 1906.10822 or math/0410603, nor a link to a "
            "paper on arXiv, its DOI there, or a Pith Number"
        )
    return reference


def _read(text: str) -> Reference | None:
    name = _QUERY.sub("", _STAMP.sub("", text)).lstrip(_BRACKETS).rstrip(_TRAILING)
    return _number(name) or _paper(_ENDING.sub("", _PREFIX.sub("", name)))


def _number(name: str) -> Reference | None:
    if match := _PREFIXED_NUMBER.fullmatch(name):
        suffix = match["suffix"].upper()
        if match["full"] and len(suffix) < SUFFIX_LENGTH:
            return None
        return Reference(pith_number=(match["full"] or "pith:").lower() + suffix)
    if _BARE_NUMBER.fullmatch(name):
        return Reference(pith_number=f"pith:{name}")
    return None


def _paper(name: str) -> Reference | None:
    match = _ID.fullmatch(name)
    if not match:
        return None
    # The subject class of an old id, as in math.GT/0309136, is no part of its canonical form.
    arxiv_id = match["new"] or f"{match['archive'].lower()}/{match['old']}"
    return Reference(arxiv_id, int(match["version"]) if match["version"] else None)
