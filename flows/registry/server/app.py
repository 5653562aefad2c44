"""The ASGI application: which address is answered by what."""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import NoReturn

from starlette.routing import BaseRoute, Route, Router

from flows.registry.publish.published import FileLayout
from flows.registry.reader import RegistryReader
from flows.registry.server.http.guard import Guard, Receive, Scope, Send
from flows.registry.server.http.problems import ProblemError
from flows.registry.server.http.requests import Answer, Endpoint
from flows.registry.server.records import Records
from flows.registry.server.whole import Whole
from flows.registry.site.site import Site
from transforms.registry.addresses import CHANGES, MIRRORS, SCHEMAS, SIGNING_KEY

_RECORDS = ("/pith/", "/.well-known/pith/")


@dataclass(frozen=True, slots=True)
class Registry:
    """A registry to serve: its records, below which address they are published, its name.

    `published` is the layout of the plain files that its answers are to become.
    """

    reader: RegistryReader
    base_url: str
    name: str
    published: FileLayout | None = None


def make_app(registry: Registry, log: Callable[[str], None] | None = None) -> Guard:
    """Return the application; `log` gets a line for each request."""
    site = Site(registry.reader, registry.base_url, registry.name, registry.published)
    records = Endpoint(Records(registry.reader, registry.base_url, site).answer)
    others = Router(_routes(registry, site), redirect_slashes=False, default=_nothing)

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        # Most requests: looking for their route would take a tenth of the time.
        is_record = scope["path"].startswith(_RECORDS)
        await (records if is_record else others)(scope, receive, send)

    return Guard(answer, log, site.error)


def _routes(registry: Registry, site: Site) -> list[BaseRoute]:
    """Return the routes of all that is no record's."""
    whole = Whole(registry.reader, registry.base_url, registry.name)
    answers: dict[str, Answer] = {
        MIRRORS: whole.mirrors,
        SIGNING_KEY: whole.signing_key,
        f"{CHANGES}/{{number}}": whole.change,
        f"{SCHEMAS}/{{name}}": whole.schema,
        "/openapi.json": whole.openapi,
        "/healthz": whole.health,
        "/readyz": whole.readiness,
        **site.answers(),
    }
    return [Route(path, Endpoint(answer)) for path, answer in answers.items()]


async def _nothing(scope: Scope, receive: Receive, send: Send) -> NoReturn:
    del scope, receive, send
    raise ProblemError(HTTPStatus.NOT_FOUND, "There is nothing at this address.")
