"""The forms of single settings: addresses, names, paths, categories."""

import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator

from transforms.documents.checked import WEB_BASE, WEB_PAGE
from transforms.signing import PUBLIC_KEY_BYTES, decode_base64

_BLOCK_NAME = re.compile(r"[a-z0-9-]+", re.ASCII)
_CATEGORY = re.compile(r"[a-z-]+(?:[.:][A-Za-z-]+)*", re.ASCII)


def _check_url(url: str) -> str:
    if not _is_address(url, {"http", "https"}):
        raise ValueError("must be a URL such as https://example.org")
    if "@" in urlsplit(url).netloc:
        raise ValueError("must be a URL without a user name or password, for it is shown")
    return url.rstrip("/")


def _is_address(url: str, schemes: set[str]) -> bool:
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


def _check_block_name(name: str) -> str:
    if not _BLOCK_NAME.fullmatch(name):
        raise ValueError(
            "must be the name of a Prefect Secret block: small letters, digits and dashes"
        )
    return name


def _check_key(text: str) -> str:
    decode_base64(text, PUBLIC_KEY_BYTES)
    return text


def _check_scheduler(text: str) -> str:
    if not _is_address(text, {"tcp", "tls"}) or not urlsplit(text).port:
        raise ValueError("must be a scheduler's address such as tcp://10.0.0.1:8786")
    return text


def check_category(text: str) -> str:
    """Return a category as it was written, if it has the form of one; arXiv says which there are.

    So have archives (`hep-th`), sets (`physics:hep-th`) and `all`.
    """
    if not _CATEGORY.fullmatch(text):
        raise ValueError("must be categories such as cs.LG or hep-th")
    return text


Url = Annotated[str, AfterValidator(_check_url)]
BaseUrl = Annotated[Url, AfterValidator(_check_base)]
PageUrl = Annotated[Url, AfterValidator(_check_page)]
BlockName = Annotated[str, AfterValidator(_check_block_name)]
PublicKey = Annotated[str, AfterValidator(_check_key)]
Scheduler = Annotated[str, AfterValidator(_check_scheduler)]
Category = Annotated[str, AfterValidator(check_category)]
OwnPath = Annotated[Path, AfterValidator(Path.expanduser)]
