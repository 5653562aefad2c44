"""A response of any server: a body of bounded size, and failures that a retry may mend."""

import zlib
from collections.abc import Iterable
from datetime import datetime
from email.utils import parsedate_to_datetime

import httpx

from flows.common.process.clock import utc_now

_GZIP = 16 + zlib.MAX_WBITS
_TRANSIENT = {httpx.codes.REQUEST_TIMEOUT, httpx.codes.TOO_MANY_REQUESTS}


class TransientError(Exception):
    """A failure that a retry may mend; `retry_after` is what the server asked for, in seconds."""

    def __init__(self, cause: str, retry_after: float | None = None) -> None:
        """Take the cause as a part of a sentence."""
        super().__init__(cause)
        self.retry_after = retry_after


class TooLargeError(Exception):
    """A reply of more bytes than `limit`, which a retry would not make smaller."""

    def __init__(self, limit: int) -> None:
        """Keep the limit, for the sentence that names the request too."""
        super().__init__(limit)
        self.limit = limit


def retry_after(header: str | None, now: datetime) -> float | None:
    """Return the seconds that a `Retry-After` asks for (RFC 9110, section 10.2.3), if it does.

    A date may lie in the past, so the result may be negative.
    """
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        return (parsedate_to_datetime(text) - now).total_seconds()
    except (ValueError, TypeError, IndexError, OverflowError):
        # Neither, or a date without a zone: it says no more than to retry later.
        return None


def check_transient(response: httpx.Response) -> None:
    """Raise `TransientError` for a status that may be another one later."""
    status = response.status_code
    if status in _TRANSIENT or response.is_server_error:
        raise TransientError(
            f"HTTP {status}", retry_after(response.headers.get("Retry-After"), utc_now())
        )


def read_body(response: httpx.Response, limit: int) -> bytes:
    """Read the body, and stop as soon as it is larger than `limit`, also when decompressed.

    The raw bytes are taken from httpx, whose own decompression has no limit. Raises
    `TransientError` for broken gzip, and `TooLargeError` for a body that is too large.
    """
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip", "x-gzip"}:
        raise TransientError(f"the reply is encoded as {encoding!r:.40}, which was not asked for")
    try:
        return _join(response.iter_raw(), limit, compressed=encoding != "identity")
    except zlib.error as error:
        raise TransientError(f"broken gzip: {error}") from None


def _join(chunks: Iterable[bytes], limit: int, *, compressed: bool) -> bytes:
    """Join the chunks, of which a compressed body fills all: no end before, and nothing after."""
    inflater = zlib.decompressobj(_GZIP) if compressed else None
    body = bytearray()
    for chunk in chunks:
        room = limit + 1 - len(body)
        body += inflater.decompress(chunk, room) if inflater else chunk[:room]
        if len(body) > limit:
            raise TooLargeError(limit)
        if inflater and inflater.unused_data:
            # To go on would keep all that follows, and copy it at every piece.
            raise zlib.error("bytes after its end")
    if inflater and not inflater.eof:
        raise zlib.error("cut before its end")
    return bytes(body)
