"""Addresses that settings name: of servers, of a registry, of a page of it."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from transforms.documents.checked import WEB_BASE, WEB_PAGE


def _check_url(url: str) -> str:
    if not is_address(url, {"http", "https"}):
        raise ValueError("must be a URL such as https://example.org")
    if "@" in urlsplit(url).netloc:
        raise ValueError("must be a URL without a user name or password, for it is shown")
    return url.rstrip("/")


def is_address(url: str, schemes: set[str]) -> bool:
    """Return whether `url` is of one of these schemes, and names a host."""
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # which says a part of it
        return False


def _check_base(url: str) -> str:
    if not WEB_BASE.fullmatch(url):
        raise ValueError(
            "must be an address such as https://example.org, in ASCII, without user and query"
        )
    return url


def _check_page(url: str) -> str:
    if not WEB_PAGE.fullmatch(url):
        raise ValueError("must be in ASCII and without spaces, as bundles carry it")
    return url


Url = Annotated[str, AfterValidator(_check_url)]
BaseUrl = Annotated[Url, AfterValidator(_check_base)]
PageUrl = Annotated[Url, AfterValidator(_check_page)]
