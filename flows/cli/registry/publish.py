"""The command `registry publish`: the registry as plain files for any web server."""

from typing import TYPE_CHECKING, Annotated, Literal

import typer

from flows.cli.options import ConfigOption, DataOption, load
from flows.common.terminal import echo

if TYPE_CHECKING:
    from flows.registry.publish.publish import PublishReport


def publish(
    *,
    to: Annotated[str, typer.Option(metavar="DIR|URL", help="A folder, or s3://BUCKET/PREFIX.")],
    layout: Annotated[
        Literal["files", "packs"] | None,
        typer.Option(
            help="Five files a record, or bundles in packs; the first publish decides for good, "
            "and without this option takes packs for more than 30,000 records.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Publish all records and the site as plain files; again, only what changed since.

    Any web server, CDN or bucket serves them. Run it after each night; a run may go on meanwhile.

    Examples:
        pith-ingest registry publish --to site
        pith-ingest registry publish --to s3://bucket/registry --layout packs
    """
    from dataclasses import replace

    from flows.common.process.clock import utc_now
    from flows.ingest.worker_context import layout_of
    from flows.registry.publish.publish import publish as run
    from flows.registry.publish.target import files_at
    from flows.registry.reader import RegistryReader
    from flows.registry.server.app import Registry, make_app
    from flows.registry.site.statistics import keep_statistics

    loaded = load(config, data)
    kept, identity = layout_of(loaded), loaded.identity
    with RegistryReader(kept) as reader:
        keep_statistics(reader)
        known = Registry(reader, identity.base_url, identity.resolver_name)
        report = run(
            kept,
            files_at(to),
            lambda chosen: make_app(replace(known, published=chosen)),
            base_url=identity.base_url,
            moment=utc_now(),
            file_layout=layout,
        )
    for line in _lines(to, report):
        echo(line)


def _lines(to: str, report: "PublishReport") -> list[str]:
    published = report.published
    if not report.files:
        return [f"{to} is up to date: {published.records:,} records in {published.layout}"]
    records = f"{published.records:,} records in {published.layout}"
    files = f"files written {report.files:,} ({report.size / 2**20:,.1f} MiB)"
    return [
        f"published {records} to {to}: {report.changed:,} new or changed",
        f"{files}, removed {report.removed:,}; {published.list} names each with its sha256",
    ]
