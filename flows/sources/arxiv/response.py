"""The meaning of an HTTP response of arXiv: a body, a redirection, a transient failure or none."""

import httpx

from flows.common.errors import ArxivDeniedError, ArxivReplyError
from flows.common.http.response import check_transient


def check_status(response: httpx.Response) -> None:
    """Raise what another status than 200 means: `TransientError`, denied, or a useless reply."""
    status = response.status_code
    if status == httpx.codes.OK:
        return
    check_transient(response)
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
