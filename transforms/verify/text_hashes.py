"""Title and abstract hashes of arXiv's own metadata, for comparing bundles with it."""

from collections.abc import Mapping

import orjson

from transforms.encoding.canonical import CanonicalError, text_sha256
from transforms.encoding.digest import Digest
from transforms.paper.paper import BadPaperError, Paper
from transforms.parsing.arxiv_xml import parse_page
from transforms.parsing.kaggle import parse_line

TextHashes = Mapping[tuple[str, int | None], tuple[Digest, Digest]]
"""(arXiv id, version) to the hashes of canonical title and abstract; version None: any."""

Entry = tuple[tuple[str, int | None], tuple[Digest, Digest]]


def texts_of_page(data: bytes) -> tuple[list[Entry], int]:
    """Return the entries of an OAI-PMH reply, and how many of its records cannot be used.

    Raises `PageError` and `OaiError` as `parse_page` does.
    """
    page = parse_page(data)
    return [_entry_of_paper(paper) for paper in page.papers], len(page.rejects)


def texts_of_line(line: bytes) -> Entry:
    """Return the entry of one JSON line: a row of Kaggle's snapshot, or a simpler object.

    The simpler one has `id`, `title`, `abstract` and may have `version`, a number; what else it
    has is ignored. Raises `BadPaperError` with the reason.
    """
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise BadPaperError(f"not JSON: {error.msg}") from None
    if type(row) is not dict:
        raise BadPaperError("not a JSON object")
    if "versions" in row:
        return _entry_of_paper(parse_line(line))
    arxiv_id, title, abstract = (row.get(name) for name in ("id", "title", "abstract"))
    version = row.get("version")
    if not (isinstance(arxiv_id, str) and isinstance(title, str) and isinstance(abstract, str)):
        raise BadPaperError("id, title and abstract are not texts")
    return (arxiv_id, version if type(version) is int else None), _hashes(title, abstract)


def _entry_of_paper(paper: Paper) -> Entry:
    return (paper.id, paper.version), _hashes(paper.title, paper.abstract)


def _hashes(title: str, abstract: str) -> tuple[Digest, Digest]:
    try:
        return text_sha256(title), text_sha256(abstract)
    except CanonicalError as error:
        raise BadPaperError(str(error)) from None
