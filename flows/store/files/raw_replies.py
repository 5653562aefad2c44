"""ArXiv's replies: reading saved ones, plain or compressed, and keeping them as they came."""

import hashlib
import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from flows.common.errors import ConfigError
from flows.common.files.compression import DAMAGED, compress, decompressed
from flows.common.files.regular_file import open_regular
from flows.store.layout import Layout

SUFFIXES = (".xml", ".xml.gz", ".xml.zst")
_HEAD_BYTES = 2048
_SERVED_AT = re.compile(rb"<responseDate>\s*(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\s*</responseDate>")


class UnreadableReplyError(Exception):
    """A saved reply that cannot be read; the message says why."""


def find_replies(paths: Sequence[Path]) -> list[Path]:
    """Return the saved replies among `paths`: files as named, folders searched for `SUFFIXES`.

    Sorted within a folder, each once. Raises `ConfigError` for a path that does not exist or a
    folder that cannot be read or holds none.
    """
    found: dict[Path, None] = {}
    for path in paths:
        if not path.is_dir():
            if not path.exists():
                raise ConfigError(f"{path} does not exist")
            found[path] = None
            continue
        inside = sorted(file for file in _walk(path) if file.name.endswith(SUFFIXES))
        if not inside:
            raise ConfigError(f"{path} holds no saved replies (*.xml, *.xml.gz, *.xml.zst)")
        found |= dict.fromkeys(inside)
    return list(found)


def _walk(folder: Path) -> Iterator[Path]:
    try:
        for entry in folder.iterdir():
            if entry.is_dir() and not entry.is_symlink():
                yield from _walk(entry)
            elif not entry.name.startswith("."):
                yield entry
    except OSError as error:
        raise ConfigError(f"cannot read the folder {folder}: {error.strerror}") from None


def read_reply(path: Path, *, limit: int) -> bytes:
    """Return a saved reply's bytes, decompressed; never more than `limit` are held.

    Raises `UnreadableReplyError` for a file without rights, a damaged archive or one too large.
    """
    try:
        with os.fdopen(open_regular(path), "rb", buffering=0) as file, decompressed(file) as stream:
            data = stream.read(limit + 1)
    except DAMAGED as error:
        reason = getattr(error, "strerror", None) or f"damaged archive: {error}"
        raise UnreadableReplyError(reason) from None
    if len(data) > limit:
        raise UnreadableReplyError(f"more than {limit} bytes, which no reply has")
    return data


def served_at(path: Path) -> str:
    """Return when arXiv served a saved reply, such as `2026-11-20T05:31:00Z`; `""` if it says not.

    Source: OAI-PMH 2.0, section 3.2: `responseDate` comes first in every reply, in UTC.
    """
    try:
        with os.fdopen(open_regular(path), "rb", buffering=0) as file, decompressed(file) as stream:
            found = _SERVED_AT.search(stream.read(_HEAD_BYTES))
    except DAMAGED:
        return ""
    return found[1].decode() if found else ""


def keep_reply(layout: Layout, data: bytes) -> str:
    """Keep a reply, compressed, under the sha256 (hex) of its bytes, and return that."""
    sha256 = hashlib.sha256(data).hexdigest()
    key = layout.raw_reply(sha256)
    if not layout.files.exists(key):
        layout.files.write(key, compress(data))
    return sha256
