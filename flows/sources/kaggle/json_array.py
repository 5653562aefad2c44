"""A file that is one JSON array, told from lines of objects by how it begins."""

import io
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import orjson

from flows.common.errors import InputFileError
from flows.sources.kaggle.file import UNREADABLE, unpacked
from flows.sources.kaggle.lines import MAX_LINE_BYTES


def refuse_array(path: Path) -> None:
    """Raise a `InputFileError` that says what to do, if the file's text is one JSON array.

    What cannot be read is for those to say who read all of it.
    """
    try:
        with unpacked(path) as (stream, _):
            lines = list(islice(_lines(stream), 3))
    except UNREADABLE:
        return
    if lines and _is_array(*lines):
        raise InputFileError(
            f"{path} is one JSON array, but a snapshot has one object on each line; unpack it if "
            "it is packed, and make lines of it: jq -c '.[]' ARRAY.json > LINES.json"
        )


def _lines(stream: io.BufferedReader) -> Iterator[bytes]:
    """Yield the lines that are not blank, without the space around them; a long one is the last."""
    while line := stream.readline(MAX_LINE_BYTES):
        if stripped := line.strip():
            yield stripped
        if not line.endswith(b"\n"):
            return


def _is_array(first: bytes, *more: bytes) -> bool:
    """Return whether the first line and at most two more begin an array of objects.

    A broken line among lines of objects is no array, though it may look like the first of one.
    """
    if not re.match(rb"\[\s*([{\]]|$)", first):
        return False
    if _is_whole(first) or not more:
        return not more
    second, *third = more
    if second.endswith((b",", b"{", b"[")) or second.startswith((b'"', b",", b"]", b"}")):
        return True
    return _is_whole(second) and bool(third) and third[0].startswith((b"]", b","))


def _is_whole(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True
