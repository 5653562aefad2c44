"""The command `registry publish`: the registry as plain files for any web server."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

import typer

from flows.cli.options import ConfigOption, DataOption, JsonOption, load
from flows.cli.output.answer import answer
from flows.common.counts import counted
from flows.common.terminal import Line, Tone


@dataclass(frozen=True, slots=True)
class PublishedRecords:
    """What `registry publish --json` prints; `files` and `bytes` are those that it wrote.

    All but `records` are 0 where the place was up to date. `list` names each file with its sha256.
    """

    to: str
    layout: str
    records: int
    changed: int
    files: int
    bytes: int
    removed: int
    list: str


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
    as_json: JsonOption = False,
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
    published = report.published
    document = PublishedRecords(
        to, published.layout, published.records, report.changed, report.files, report.size,
        report.removed, published.list,
    )  # fmt: skip
    answer(document, _blocks(document), as_json=as_json)


def _blocks(done: PublishedRecords) -> Iterator[Line]:
    records = f"{counted(done.records, 'records')} in {done.layout}"
    if not done.files:
        yield Line(f"{done.to} is up to date: {records}", Tone.GOOD)
        return
    yield Line(f"published {records} to {done.to}: {done.changed:,} new or changed", Tone.GOOD)
    files = f"files written {done.files:,} ({done.bytes / 2**20:,.1f} MiB)"
    yield Line(f"{files}, removed {done.removed:,}; {done.list} names each with its sha256")
