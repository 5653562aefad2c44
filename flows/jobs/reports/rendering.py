"""Rendering reports and, above them, the registry's pages: escaped, and nothing may be missing."""

import os
from base64 import b64encode
from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from secrets import token_hex

from jinja2 import BaseLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from flows.common.counts import counted
from flows.common.errors import ConfigError
from flows.common.files.regular_file import open_regular
from flows.common.files.whole_file import create_whole
from flows.common.terminal import printable
from flows.jobs.reports.words import duration

_MARK, _HEAD_BYTES = b'<meta name="generator" content="pith-ingest report">', 1024
"""What tells a page of ours, and within how many bytes."""

_PACKAGE = "flows.jobs.reports"


def own_templates() -> BaseLoader:
    """Return what loads the templates of reports, which the registry's pages use too."""
    return PackageLoader(_PACKAGE)


def make_environment(loader: BaseLoader) -> Environment:
    """Return the environment of all templates: what comes from outside is escaped."""
    environment = Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        number=lambda value: f"{value:,}",
        counted=counted,
        when=_when,
        duration=duration,
        printable=printable,
    )
    return environment


def _when(moment: datetime | date | str) -> str:
    """Return a time for people, in UTC: `2026-11-20 05:31`."""
    if isinstance(moment, str):
        return moment[:16].replace("T", " ")
    return f"{moment:%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else f"{moment:%Y-%m-%d}"


@cache
def style() -> bytes:
    """Return the style of all pages."""
    return (files(_PACKAGE) / "style.css").read_bytes()


def render_alone(template: str, values: Mapping[str, object]) -> bytes:
    """Return a page that is whole by itself, in UTF-8: its policy lets it run and fetch nothing.

    Its style is in it, and allowed by its hash.
    """
    text = style().decode()
    digest = b64encode(sha256(text.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    page = _environment().get_template(template)
    own = {"policy": policy, "style": Markup(text)}  # noqa: S704  # our own file
    return page.render(own | dict(values)).encode(errors="replace")


def write_alone(file: Path, page: bytes) -> None:
    """Write a page where a user names a file, whole or not at all, over an older page of ours.

    Raises `ConfigError` rather than replace anything else, and `OSError`.
    """
    target = file.resolve()
    if target.is_dir():
        raise ConfigError(f"{file} is a folder; name a file in it, such as {file / 'report.html'}")
    if not target.parent.is_dir():
        raise ConfigError(f"there is no folder {file.parent}; make it, or name another file")
    if target.exists() and not _is_ours(target):
        raise ConfigError(
            f"{file} is there and is no page of 'pith-ingest report'; remove it or name another"
        )
    temporary = target.with_name(f".{target.name}.{token_hex(8)}.tmp")
    try:
        create_whole(str(temporary), page)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _is_ours(file: Path) -> bool:
    try:
        with os.fdopen(open_regular(file), "rb") as opened:
            return _MARK in opened.read(_HEAD_BYTES)
    except OSError:
        return False


@cache
def _environment() -> Environment:
    return make_environment(own_templates())
