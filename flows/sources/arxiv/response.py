"""The meaning of an HTTP response of arXiv: a body, a redirection, a transient failure or none."""

import zlib
from collections.abc import Iterable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from flows.common.errors import ArxivDeniedError, ArxivReplyError

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


def check_status(response: httpx.Response) -> None:
    """Raise what another status than 200 means: `TransientError`, denied, or a useless reply."""
    status = response.status_code
    if status == httpx.codes.OK:
        return
    if status in _TRANSIENT or response.is_server_error:
        seconds = retry_after(response.headers.get("Retry-After"), datetime.now(UTC))
        raise TransientError(f"HTTP {status}", seconds)
    if status == httpx.codes.FORBIDDEN:
        raise ArxivDeniedError(
            f"{response.url.host} denies this crawler (HTTP 403): do not ask again before "
            "arxiv.contact is set, the pace is three seconds, and no one else here asks arXiv"
        )
    raise ArxivReplyError(
        f"{response.url} answers HTTP {status}; check the address in the configuration, "
        "and the query"
    )


def redirect_target(response: httpx.Response) -> httpx.URL:
    """Return where a redirection leads, if that is the same host and port, or its https.

    Raises `ArxivReplyError` for any other place.
    """
    here, location = response.url, response.headers["Location"]
    try:
        there = here.join(location)
    except httpx.InvalidURL:
        there = httpx.URL()
    same = (there.scheme, there.port) == (here.scheme, here.port)
    upgrade = (here.scheme, there.scheme, there.port) == ("http", "https", None)
    if there.host != here.host or not (same or upgrade):
        raise ArxivReplyError(
            f"{here.copy_with(query=None)} redirects to another place, {location!r:.200}; "
            "if that is right, put it into the configuration"
        )
    return there


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
