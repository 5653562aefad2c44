"""The file of `verify --metadata`: arXiv's own words, against which bundles are compared."""

from pathlib import Path

from flows.common.errors import ConfigError
from flows.sources.kaggle.file import UNREADABLE, unpacked
from flows.sources.kaggle.json_array import refuse_array
from transforms.encoding.digest import Digest
from transforms.paper.paper import BadPaperError
from transforms.parsing.oai_xml import MAX_PAGE_BYTES, OaiError, PageError
from transforms.verify.text_hashes import Entry, TextHashes, texts_of_line, texts_of_page

_MAX_LINE = 8 * 2**20


def read_texts(path: Path) -> tuple[TextHashes, int]:
    """Return the hashes of all papers in `path`, and how many of its records cannot be used.

    JSON Lines (Kaggle's metadata or simpler objects) or one OAI-PMH reply, known by the first
    character; plain or compressed. About 400 bytes of memory a paper. Raises `ConfigError` for a
    file that cannot be read or holds no paper, and `InputFileError` for one JSON array.
    """
    refuse_array(path)
    texts: dict[tuple[str, int | None], tuple[Digest, Digest]] = {}
    unusable = 0
    try:
        with unpacked(path) as (stream, _):
            if not stream.peek(1):
                raise ConfigError(f"the metadata {path} is empty")
            if stream.peek(64).lstrip().startswith(b"<"):
                entries, unusable = texts_of_page(stream.read(MAX_PAGE_BYTES + 1))
                texts.update(entries)
            else:
                while line := stream.readline(_MAX_LINE):
                    entry = _entry(line)
                    if entry:
                        texts.update([entry])
                    else:
                        unusable += bool(line.strip())
    except (*UNREADABLE, PageError, OaiError) as error:
        raise ConfigError(f"cannot read the metadata {path}: {error}") from None
    if not texts:
        raise ConfigError(f"{path} holds no metadata of a paper")
    return texts, unusable


def _entry(line: bytes) -> Entry | None:
    try:
        return texts_of_line(line)
    except BadPaperError:
        return None
