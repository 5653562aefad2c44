"""Reading JSON that nobody vouches for: one meaning or an error."""

import json
from collections import Counter
from functools import lru_cache
from typing import Any, NoReturn

import orjson

from transforms.canon import MAX_INTEGER

MAX_BYTES = 8 * 2**20
"""A larger document is refused unread: a bundle of a thousand events has about 4 MB."""

_MAX_INTEGER_DIGITS = 17


class NotStrictJsonError(ValueError):
    """Not JSON, or JSON that two readers could understand in two ways."""


def read_json(data: bytes) -> Any:  # noqa: ANN401 - any JSON value
    """Return the value of a JSON document in UTF-8, or raise `NotStrictJsonError`.

    Refused: duplicate keys, numbers that are not integers, integers beyond 2^53, NaN
    and Infinity, nesting that exhausts the reader, more than `MAX_BYTES` bytes.
    """
    if len(data) > MAX_BYTES:
        raise NotStrictJsonError(f"larger than {MAX_BYTES} bytes")
    try:
        text = data.decode()
        value = _DECODER.decode(text)
        # A key that stood twice would be missing, so compact JSON that is written back as it was
        # had none; what is spaced or escaped in another way is read again, pair by pair.
        if _is_written_as(value, data):
            return value
        return _PAIRWISE.decode(text)
    except NotStrictJsonError:
        raise
    except UnicodeDecodeError:
        raise NotStrictJsonError("not UTF-8") from None
    except RecursionError:
        raise NotStrictJsonError("nested too deeply") from None
    except ValueError as error:
        raise NotStrictJsonError(f"not JSON: {error}" if data.strip() else "empty") from None


def _is_written_as(value: object, data: bytes) -> bool:
    try:
        return orjson.dumps(value) == data
    except orjson.JSONEncodeError:
        return False


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) == len(pairs):
        return value
    (twice, _), *_ = Counter(key for key, _ in pairs).most_common(1)
    raise NotStrictJsonError(f"the key {twice!r:.80} stands twice in one object")


def _no_float(text: str) -> NoReturn:
    raise NotStrictJsonError(f"the number {text:.40} is not an integer")


@lru_cache(maxsize=256)  # counts and versions, the same few in every bundle
def _short_integer(text: str) -> int:
    # Short first: to read a long one takes time quadratic in its length.
    if len(text) > _MAX_INTEGER_DIGITS or abs(value := int(text)) > MAX_INTEGER:
        raise NotStrictJsonError(f"the integer {text:.40} is too large")
    return value


_NUMBERS: dict[str, Any] = {
    "parse_float": _no_float,
    "parse_constant": _no_float,
    "parse_int": _short_integer,
}
_DECODER = json.JSONDecoder(**_NUMBERS)
_PAIRWISE = json.JSONDecoder(object_pairs_hook=_unique, **_NUMBERS)
