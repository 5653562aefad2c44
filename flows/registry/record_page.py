"""The page of a record at a registry, opened in the browser of whoever sits before the screen."""

import json
import os
import sys
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flows.common.errors import ConfigError
from flows.common.terminal import quoted

if TYPE_CHECKING:
    from flows.common.config import Config

LOCAL_REGISTRY = "http://127.0.0.1:8080"
"""Where `pith-ingest up` and `registry serve` answer, unless they are told another port."""

_NOBODY = ".invalid"
_SECONDS = 2.0
_MOST_BYTES = 2**20


def page_of(config: "Config", pith_number: str, registry: str | None) -> str:
    """Return the address of a record's page at the registry that is named, or ours, or here.

    Raises `ConfigError` where the address is none of the web, or no registry is known or answers.
    """
    base_url = registry or _configured(config) or _served_here(pith_number)
    if base_url is None:
        raise ConfigError(
            f"no registry answers at {LOCAL_REGISTRY} with this record: start one with "
            "'pith-ingest registry serve', or name one with --registry URL"
        )
    from transforms.documents.checked import WEB_BASE
    from transforms.registry.addresses import record_addresses
    from transforms.registry.citation import web_address

    base_url = base_url.rstrip("/")
    address = record_addresses(base_url, _suffix(pith_number)).page
    if not (WEB_BASE.fullmatch(base_url) and web_address(address)):
        raise ConfigError(
            f"{quoted(base_url)} is no address of a registry such as {LOCAL_REGISTRY}"
        )
    return address


def open_page(address: str) -> bool:
    """Open an address of the web where there is a screen to do so, and return whether that went."""
    has_screen = sys.platform in {"darwin", "win32"} or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    if not has_screen:
        return False
    import webbrowser

    return webbrowser.open(address)


def _suffix(pith_number: str) -> str:
    return pith_number.rpartition(":")[2]


def _configured(config: "Config") -> str | None:
    """Return the configured registry, unless it is the one that nobody can have."""
    base_url = config.identity.base_url
    return None if (urlsplit(base_url).hostname or "").endswith(_NOBODY) else base_url


def _served_here(pith_number: str) -> str | None:
    """Return the address of this machine's registry if it answers and has the record."""
    from http.client import HTTPConnection, HTTPException

    from transforms.registry.addresses import record_addresses

    connection = HTTPConnection(urlsplit(LOCAL_REGISTRY).netloc, timeout=_SECONDS)
    try:
        connection.request("GET", record_addresses("", _suffix(pith_number)).record)
        reply = connection.getresponse()
        has_it = reply.status == HTTPStatus.OK and (
            json.loads(reply.read(_MOST_BYTES))["pith_number"] == pith_number
        )
    except (OSError, HTTPException, ValueError, TypeError, KeyError):
        return None
    finally:
        connection.close()
    return LOCAL_REGISTRY if has_it else None
