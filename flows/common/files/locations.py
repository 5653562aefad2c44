"""Locations of a data folder: a folder of the disk, or a prefix in an object store."""

import hashlib
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator

from flows.common.errors import ConfigError

SCHEMES = ("s3", "gs", "az")
# The command line and Prefect's forms make a `Path` of a URL first, which folds its slashes.
_URL = re.compile(r"([a-z][a-z0-9+.-]+):/+(.*)", re.DOTALL)
_NOT_OF_A_NAME = re.compile(r"[^A-Za-z0-9._-]+")


def location_of(value: Path | str) -> Path | str:
    """Return a folder as a `Path`, a location in an object store as its URL, a `str`.

    Raises `ConfigError` for another URL; the message does not repeat it, for it may hold secrets.
    """
    if not str(value):  # as of a variable that is empty
        raise ConfigError(
            "data_dir names no folder: it is empty; the folder that one stands in is '.'"
        )
    found = _URL.fullmatch(str(value))
    if found is None:
        return Path(value).expanduser()
    scheme, rest = found[1], found[2].strip("/")
    if scheme not in SCHEMES:
        raise ConfigError(
            f"data_dir is a URL of a kind that is not known; known are {', '.join(SCHEMES)}"
        )
    try:
        parts = urlsplit(f"{scheme}://{rest}")
    except ValueError:
        raise ConfigError(f"data_dir is no URL such as {scheme}://BUCKET/PREFIX") from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise ConfigError(
            f"data_dir must be {scheme}://BUCKET/PREFIX and no more; credentials come from the "
            "environment"
        )
    if not parts.netloc:
        raise ConfigError(f"data_dir names no bucket, as {scheme}://BUCKET/PREFIX does")
    return parts.geturl()


Location = Annotated[
    Path | str, BeforeValidator(lambda v: location_of(v) if isinstance(v, Path | str) else v)
]


def state_folder(state_dir: Path, url: str) -> Path:
    """Return the folder on this disk for what belongs to a location in an object store."""
    name = _NOT_OF_A_NAME.sub("-", url)[:60]
    return state_dir / f"{name}-{hashlib.sha256(url.encode()).hexdigest()[:12]}"
