"""The command `registry serve`: the data folder over HTTP."""

from typing import Annotated

import typer

from flows.cli.options import ConfigOption, DataOption, load


def serve(
    *,
    host: Annotated[
        str, typer.Option(help="Address to listen on; 0.0.0.0 is every one of this machine.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port to listen on; 0 takes a free one.")
    ] = 8080,
    workers: Annotated[int, typer.Option(min=1, help="How many processes answer.")] = 1,
    access_log: Annotated[
        bool, typer.Option("--access-log/--no-access-log", help="A line for each request.")
    ] = True,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Serve all documents of the registry over HTTP, beside any job, until stopped.

    Nothing is signed or changed, and no key is needed.

    Examples:
        pith-ingest registry serve
        pith-ingest registry serve --port 0 --data data/demo
    """
    from flows.common.errors import StoreError
    from flows.ingest.worker_context import layout_of
    from flows.registry.server.run import Service
    from flows.registry.server.run import serve as run

    loaded = load(config, data)
    service = Service(
        layout_of(loaded), loaded.identity.base_url, loaded.identity.resolver_name, access_log
    )
    if not run(service, host=host, port=port, workers=workers):
        raise StoreError("the registry could not be served; what was said above tells why")
