"""What a request's headers ask for (RFC 9110): types, encodings, conditions, ranges.

Headers come from strangers: what cannot be understood counts as not said.
"""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

_WEIGHT = re.compile(r"q=(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)", re.ASCII | re.IGNORECASE)
_RANGE = re.compile(r"bytes=([0-9]{0,15})-([0-9]{0,15})", re.ASCII)
_ETAG = re.compile(r'(?:W/)?"[^"]*"')
_VARIANT = re.compile(r'^(?:W/)?("[^"]*?)(?:-(?:gzip|zstd))?"$')


class UnsatisfiableRangeError(ValueError):
    """A range that begins behind the last byte."""


def weights(header: str) -> dict[str, float]:
    """Return the weight of each value in a list such as `text/html, */*;q=0.8`, in small letters.

    Parameters other than the weight are left aside.
    """
    found = {}
    for item in header.split(","):
        value, *parameters = (part.strip() for part in item.split(";"))
        marks = [match[1] for part in parameters if (match := _WEIGHT.fullmatch(part))]
        if value:
            found[value.lower()] = float(marks[0]) if marks else 1.0
    return found


def best_type(accept: str | None, offered: Sequence[str]) -> str | None:
    """Return the media type to send, the first of those that are asked for alike; None for none."""
    asked = weights(accept or "")
    if not asked:
        return offered[0]

    def weight(media_type: str) -> float:
        whole = f"{media_type.partition('/')[0]}/*"
        return next((asked[one] for one in (media_type, whole, "*/*") if one in asked), 0.0)

    best = max(offered, key=weight)
    return best if weight(best) else None


def best_encoding(accept_encoding: str | None) -> str | None:
    """Return `zstd` or `gzip` where one is asked for, and no less than the document as it is."""
    if not accept_encoding:
        return None
    asked = weights(accept_encoding)
    other = asked.get("*", 0.0)
    best = max(("zstd", "gzip"), key=lambda name: asked.get(name, other))
    weight = asked.get(best, other)
    return best if weight and weight >= asked.get("identity", 0.0) else None


def matches(header: str, etag: str) -> bool:
    """Return whether `If-None-Match` has an `ETag` (with its quotes), of any encoding of it."""
    if header in {etag, "*"}:
        return True
    return _variant(etag) in {_variant(one) for one in _ETAG.findall(header)}


def _variant(etag: str) -> str:
    """Return an ETag without the mark of an encoding, and of a weak one."""
    match = _VARIANT.match(etag)
    return match[1] if match else etag


def not_modified(since: str, modified: datetime) -> bool:
    """Return whether a document is as old as `If-Modified-Since`, which counts whole seconds."""
    moment = _moment(since)
    return moment is not None and modified.replace(microsecond=0) <= moment


@lru_cache(256)
def http_date(moment: datetime) -> str:
    """Return a moment in UTC as headers have it."""
    return format_datetime(moment, usegmt=True)


def _moment(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def asked_range(header: str, size: int) -> range | None:
    """Return the bytes that `Range` asks for; None for all of them.

    Several ranges, or another unit, count as not said (RFC 9110, section 14.2). Raises
    `UnsatisfiableRangeError` where none of them are there.
    """
    match = _RANGE.fullmatch(header.strip())
    if not match or match[0] == "bytes=-":
        return None
    first, last = match.groups()
    if not first:  # so many last bytes
        found = range(max(size - int(last), 0), size)
    else:
        end = min(int(last), size - 1) if last else size - 1
        if last and int(last) < int(first):
            return None
        found = range(int(first), end + 1)
    if not found:
        raise UnsatisfiableRangeError
    return found
