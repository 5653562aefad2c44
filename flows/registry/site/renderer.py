"""Rendering the templates: everything from outside is escaped, and nothing may be missing."""

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined

from flows.registry.publish.published import FileLayout
from transforms.registry.citation import web_address
from transforms.registry.readable import readable

_LICENCES = {
    "arxiv.org/licenses/nonexclusive-distrib/1.0": "arXiv's non-exclusive licence 1.0",
    "creativecommons.org/publicdomain/zero/1.0": "CC0 1.0 (public domain)",
    "creativecommons.org/licenses/publicdomain": "Public domain",
}
_CREATIVE_COMMONS = "creativecommons.org/licenses/"


class Renderer:
    """The templates of the site; `root` is the path below which it lies, `name` the registry's."""

    def __init__(self, name: str, root: str = "", published: FileLayout | None = None) -> None:
        """Take what all pages show."""
        self._values = {"root": root, "registry": name, "published": published}

    def render(self, template: str, values: Mapping[str, object]) -> bytes:
        """Return a page in UTF-8; lone surrogates, which it cannot have, become question marks."""
        page = _environment().get_template(template)
        return page.render(self._values | dict(values)).encode(errors="replace")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("flows.registry"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        readable=readable,
        number=lambda value: f"{value:,}",
        when=_when,
        licence=licence_name,
        web_address=web_address,
        plural=lambda count, one, many: f"{count:,} {one if count == 1 else many}",
    )
    return environment


def _when(moment: datetime | date | str) -> str:
    """Return a time for people, in UTC: `2026-11-20 05:31`."""
    if isinstance(moment, str):
        return moment[:16].replace("T", " ")
    return f"{moment:%Y-%m-%d %H:%M}" if isinstance(moment, datetime) else f"{moment:%Y-%m-%d}"


def licence_name(address: str) -> str:
    """Return what a licence is called, or its address where that is not known."""
    place = address.removeprefix("https://").removeprefix("http://").strip("/")
    if place in _LICENCES:
        return _LICENCES[place]
    kind, _, version = place.removeprefix(_CREATIVE_COMMONS).partition("/")
    if place.startswith(_CREATIVE_COMMONS) and kind.replace("-", "").isalpha() and version:
        return f"CC {kind.upper()} {version}"[:40]
    return address
