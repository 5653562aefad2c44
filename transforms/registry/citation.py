"""A record as a citation: BibTeX, CSL-JSON, and schema.org's ScholarlyArticle in JSON-LD."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from transforms.paper.search_keys import search_words
from transforms.registry.readable import readable

ARXIV = "https://arxiv.org/abs/"
DOI = "https://doi.org/"

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_GROUP = re.compile(r"\b(?:collaboration|consortium|team|group)\b", re.IGNORECASE)
_SUFFIXES = {"jr", "jr.", "sr", "sr.", "ii", "iii", "iv"}
# Text outside formulas: what TeX would take for more than a letter, unless it is escaped already.
_SPECIAL = re.compile(r"(?<!\\)[&%#_^]")
_ESCAPED = {"^": r"\textasciicircum{}"}
# Commands that read, write or redefine: no title needs them, and a citation is typeset unread.
_UNSAFE = re.compile(
    r"\\(?=(?:input|include|includeonly|openin|openout|read|readline|write|immediate|csname|catcode"
    r"|[egx]?def|let|futurelet|special|directlua|lua\w*|usepackage|InputIfFileExists|loop"
    r"|newcommand|renewcommand|makeatletter|lstinputlisting|verbatiminput)(?![A-Za-z]))"
)
_FORMULA = re.compile(r"(\$[^$]*\$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class CitedPaper:
    """A version of a paper and its record, as a citation names them.

    `authors` are the names in arXiv's order, `title` is arXiv's with TeX, `page` the record's page.
    """

    arxiv_id: str
    version: int
    pith_number: str
    page: str
    title: str
    authors: Sequence[str]
    submitted_at: datetime
    categories: Sequence[str]
    license: str = ""

    @property
    def arxiv_doi(self) -> str:
        """The DOI that arXiv gives the paper."""
        return f"10.48550/arXiv.{self.arxiv_id}"

    @property
    def arxiv_page(self) -> str:
        """The address of the version on arXiv."""
        return f"{ARXIV}{self.arxiv_id}v{self.version}"


def web_address(text: str) -> str | None:
    """Return `text` where it may be linked: an address of the web; None for any other."""
    is_web = re.fullmatch(r"https?://[!-~]+", text, re.ASCII) and not set(text) & set("<>\"'`\\")
    return text if is_web else None


def bibtex(paper: CitedPaper) -> str:
    """Return the entry of a BibTeX file; TeX in title and names stays, nothing ends it early."""
    submitted = paper.submitted_at
    fields = {
        "title": f"{{{{{tex(paper.title)}}}}}",
        "author": f"{{{' and '.join(map(_tex_name, paper.authors))}}}",
        "year": f"{{{submitted.year}}}",
        "month": _MONTHS[submitted.month - 1],
        "eprint": f"{{{paper.arxiv_id}}}",
        "archivePrefix": "{arXiv}",
        "primaryClass": f"{{{paper.categories[0]}}}",
        "doi": f"{{{paper.arxiv_doi}}}",
        "url": f"{{{paper.arxiv_page}}}",
        "note": f"{{Version {paper.version}, record {paper.pith_number}}}",
    }
    lines = "".join(f",\n  {name} = {value}" for name, value in fields.items())
    return f"@misc{{{citation_key(paper)}{lines}\n}}\n"


def citation_key(paper: CitedPaper) -> str:
    """Return a key such as `lee2019-1906.10822`: first author, year, and arXiv's id."""
    words = search_words(readable(paper.authors[0])) if paper.authors else []
    return f"{(words or ['anonymous'])[-1]}{paper.submitted_at.year}-{paper.arxiv_id}"


def tex(text: str) -> str:
    r"""Return text of arXiv's for a field of BibTeX: TeX stays TeX, its braces match.

    Outside formulas `&`, `%`, `#`, `_` and `^` are escaped where they are not yet. Dollars that do
    not match are escaped, as are commands that read files or define others.
    """
    one_line = _balanced(" ".join(text.split()).rstrip("\\")).replace("^^", "^{}^{}")
    safe = _UNSAFE.sub(r"\\textbackslash{}", one_line)
    if len(re.findall(r"(?<!\\)\$", safe)) % 2:
        safe = re.sub(r"(?<!\\)\$", r"\\$", safe)
        pieces = [safe]
    else:
        pieces = _FORMULA.split(safe)
    pieces[::2] = [_SPECIAL.sub(lambda m: _ESCAPED.get(m[0], f"\\{m[0]}"), p) for p in pieces[::2]]
    return "".join(pieces)


def _balanced(text: str) -> str:
    """Return text without its braces unless they match as BibTeX counts them, escaped or not."""
    depth = 0
    for character in text:
        depth += {"{": 1, "}": -1}.get(character, 0)
        if depth < 0:
            break
    return re.sub(r"\\?[{}]", "", text) if depth else text


def _tex_name(name: str) -> str:
    """Return a name for a field that ` and ` and commas divide."""
    safe = tex(name)
    is_one = _GROUP.search(name) or "," in name or " and " in f" {name} ".lower()
    return f"{{{safe}}}" if is_one else safe


def csl_json(paper: CitedPaper) -> dict[str, Any]:
    """Return the item of CSL-JSON (schema 1.0.2), which Zotero, Pandoc and citeproc read."""
    submitted = paper.submitted_at
    item: dict[str, Any] = {
        "id": citation_key(paper),
        "type": "article",
        "title": readable(paper.title),
        "author": [_csl_name(readable(name)) for name in paper.authors],
        "issued": {"date-parts": [[submitted.year, submitted.month, submitted.day]]},
        "number": f"arXiv:{paper.arxiv_id}v{paper.version}",
        "publisher": "arXiv",
        "DOI": paper.arxiv_doi,
        "URL": paper.arxiv_page,
        "archive": "arXiv",
        "archive_location": paper.arxiv_id,
        "version": str(paper.version),
        "note": paper.pith_number,
    }
    return item


def _csl_name(name: str) -> dict[str, str]:
    """Return a name in its parts: the last word is the family's, with what is in small letters."""
    words = name.split()
    if not words[1:] or _GROUP.search(name):
        return {"literal": name}
    suffix = words.pop() if words[-1].lower() in _SUFFIXES and words[2:] else ""
    at = next((n for n in range(1, len(words)) if words[n][:1].islower()), len(words) - 1)
    parts = {"family": " ".join(words[at:]), "given": " ".join(words[:at])}
    return parts | {"suffix": suffix} if suffix else parts


def scholarly_article(paper: CitedPaper, abstract: str) -> Mapping[str, Any]:
    """Return the paper as schema.org's ScholarlyArticle (https://schema.org/ScholarlyArticle)."""
    identifiers = {
        "Pith Number": paper.pith_number,
        "arXiv": f"{paper.arxiv_id}v{paper.version}",
        "DOI": paper.arxiv_doi,
    }
    article = {
        "@context": "https://schema.org",
        "@type": "ScholarlyArticle",
        "@id": paper.page,
        "url": paper.page,
        "name": readable(paper.title),
        "headline": readable(paper.title)[:110],
        "author": [{"@type": "Person", "name": readable(name)} for name in paper.authors],
        "datePublished": paper.submitted_at.date().isoformat(),
        "version": str(paper.version),
        "abstract": abstract,
        "keywords": list(paper.categories),
        "publisher": {"@type": "Organization", "name": "arXiv", "url": "https://arxiv.org"},
        "identifier": [
            {"@type": "PropertyValue", "propertyID": name, "value": value}
            for name, value in identifiers.items()
        ],
        "sameAs": [paper.arxiv_page, f"{DOI}{paper.arxiv_doi}"],
    }
    return article | {"license": paper.license} if web_address(paper.license) else article
