"""Rendering the templates: everything from outside is escaped, and nothing may be missing."""

from collections.abc import Mapping
from functools import cache

from jinja2 import ChoiceLoader, Environment, PackageLoader

from flows.jobs.reports.rendering import make_environment, own_templates
from flows.registry.publish.published import FileLayout
from flows.sources.arxiv.sets import set_name
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
    loader = ChoiceLoader([PackageLoader("flows.registry"), own_templates()])
    environment = make_environment(loader)
    environment.filters.update(
        readable=readable, licence=licence_name, set_name=set_name, web_address=web_address
    )
    return environment


def licence_name(address: str) -> str:
    """Return what a licence is called, or its address where that is not known."""
    place = address.removeprefix("https://").removeprefix("http://").strip("/")
    if place in _LICENCES:
        return _LICENCES[place]
    kind, _, version = place.removeprefix(_CREATIVE_COMMONS).partition("/")
    if place.startswith(_CREATIVE_COMMONS) and kind.replace("-", "").isalpha() and version:
        return f"CC {kind.upper()} {version}"[:40]
    return address
