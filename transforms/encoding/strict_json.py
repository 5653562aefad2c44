"""Reading JSON that nobody vouches for: one meaning or an error."""

import json
from collections import Counter
from typing import Any, NoReturn

import msgspec
import orjson

from transforms.encoding.canonical import MAX_INTEGER

MAX_BYTES = 8 * 2**20
"""A larger document is refused unread: a bundle of a thousand events has about 4 MB."""

MAX_VALUES = 400_000
"""Commas and opening brackets, each of which may begin a value of 100 bytes of memory and more."""

JsonValue = Any
"""Any JSON value: what it is, its reader's own checks or types say."""

_MAX_INTEGER_DIGITS = 17
_COMPACT_DEPTH = 9
"""Objects and lists within each other that the fast reader takes; a bundle has 8."""


class NotStrictJsonError(ValueError):
    """Not JSON, or JSON that two readers could understand in two ways."""


def read_json(data: bytes) -> JsonValue:
    """Return the value of a JSON document in UTF-8, or raise `NotStrictJsonError`.

    Refused: duplicate keys, numbers that are not integers, integers beyond 2^53, NaN
    and Infinity, nesting that exhausts the reader, more than `MAX_BYTES` bytes or
    `MAX_VALUES` values.
    """
    if len(data) > MAX_BYTES:
        raise NotStrictJsonError(f"larger than {MAX_BYTES} bytes")
    if len(data) > MAX_VALUES and sum(map(data.count, (b",", b"[", b"{"))) > MAX_VALUES:
        raise NotStrictJsonError(f"more than {MAX_VALUES} values")
    try:
        if (value := _read_compact(data)) is not _OTHER:
            return value
        return _PAIRWISE.decode(data.decode())
    except NotStrictJsonError:
        raise
    except UnicodeDecodeError:
        raise NotStrictJsonError("not UTF-8") from None
    except RecursionError:
        raise NotStrictJsonError("nested too deeply") from None
    except ValueError as error:
        raise NotStrictJsonError(f"not JSON: {error}" if data.strip() else "empty") from None


def _read_compact(data: bytes) -> object:
    """Return the value of compact JSON without any doubt, twice as fast; or `_OTHER`.

    A key that stood twice would be missing, so what is written back as it was had none; floats
    are of no type that the decoder takes.
    """
    try:
        value: object = _COMPACT.decode(data)
        is_same = orjson.dumps(value, option=orjson.OPT_STRICT_INTEGER) == data
    except (msgspec.MsgspecError, orjson.JSONEncodeError):
        return _OTHER
    return value if is_same else _OTHER


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
    raise NotStrictJsonError(f"the key {twice!r:.80} stands twice in one object")


def _no_float(text: str) -> NoReturn:
    raise NotStrictJsonError(f"the number {text:.40} is not an integer")


def _integer(text: str) -> int:
    # Short first: to read a long one takes time quadratic in its length.
    if len(text) > _MAX_INTEGER_DIGITS or abs(value := int(text)) > MAX_INTEGER:
        raise NotStrictJsonError(f"the integer {text:.40} is too large")
    return value


_PAIRWISE = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_no_float, parse_constant=_no_float, parse_int=_integer
)

_OTHER = object()
# Msgspec takes no recursive union, and `Any` would read floats: so the type is written out, as deep
# as the fast reader goes. What is deeper it refuses, and the slow one reads it.
_VALUE: Any = str | int | bool | None
for _ in range(_COMPACT_DEPTH):
    _VALUE = str | int | bool | dict[str, _VALUE] | list[_VALUE] | None
_COMPACT = msgspec.json.Decoder(_VALUE)
