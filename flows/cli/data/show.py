"""The command `show`: what is known of one paper, or its exact bundle, or its page."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import ConfigOption, DataOption, JsonOption, load
from flows.cli.output.answer import answer
from flows.cli.output.blocks import Block, Cell, Fields
from flows.common.terminal import Line, Tone, echo

if TYPE_CHECKING:
    from flows.common.config import Config
    from flows.store.catalog.catalog import Catalog
    from flows.store.catalog.records import KnownRecord
    from flows.store.layout import Layout


@dataclass(frozen=True, slots=True)
class OtherRecord:
    """Another record of the paper."""

    pith_number: str
    version: int


@dataclass(frozen=True, slots=True)
class ShownRecord:
    """What `show --json` prints of a record; times are in UTC, lists may be empty.

    `authors_text` is the signed list, `license` empty where arXiv names none, `bundle` where the
    bundle file lies or would lie. `has_vanished`: arXiv has the paper no more.
    """

    pith_number: str
    short_pith_number: str
    arxiv_id: str
    version: int
    title: str
    authors_text: str
    categories: Sequence[str]
    submitted_at: str
    license: str
    canonical_sha256: str
    first_computed_at: str
    signer_id: str
    key_id: str
    events: int
    bundle: str
    has_vanished: bool
    newer_records: Sequence[OtherRecord]
    older_records: Sequence[OtherRecord]


def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="PAPER",
            help="An arXiv id (with a version for that one alone), a link, a DOI of arXiv's, a "
            "Pith Number, or text with one of them, such as a citation.",
        ),
    ],
    *,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Print the exact bundle instead of a summary.")
    ] = False,
    in_browser: Annotated[
        bool, typer.Option("--open", help="Open its page at the registry, and print the address.")
    ] = False,
    registry: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="The registry for --open, instead of the configured one or this machine's.",
        ),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show what is known of one paper: its newest record, or the one that is named.

    Examples:
        pith-ingest show 1906.10822
        pith-ingest show https://arxiv.org/abs/1906.10822v1
        pith-ingest show --open 'arXiv:1906.10822v1 [cs.LG]'
        pith-ingest show --bundle JUV2VY6F > bundle.json
    """
    if bundle + in_browser + as_json > 1:
        raise typer.BadParameter("--bundle, --open and --json are one choice")
    if registry and not in_browser:
        raise typer.BadParameter("--registry goes with --open")
    loaded = load(config, data)
    if bundle:
        print_bundle(loaded, name)
    elif in_browser:
        print_page(loaded, name, registry)
    else:
        print_record(loaded, name, as_json=as_json)


def print_record(config: "Config", name: str, *, as_json: bool = False) -> None:
    """Print a summary of the newest record that `name` means, and the paper's other records."""
    from flows.ingest.worker_context import layout_of
    from flows.store.catalog.copies import open_catalog

    layout = layout_of(config)
    with closing(open_catalog(layout)) as catalog:
        record = _newest(layout, catalog, name)
        records = catalog.of_arxiv_id(record.arxiv_id)
        has_vanished = catalog.has_vanished(record.arxiv_id)
    shown = _shown(layout, record, records, has_vanished=has_vanished)
    answer(shown, _blocks(shown), as_json=as_json)


def print_bundle(config: "Config", name: str) -> None:
    """Write the exact bytes of the newest bundle that `name` means to standard output.

    A terminal gets it with its control characters written out: those bytes are for files and pipes.
    """
    from flows.ingest.worker_context import layout_of
    from flows.store.bundles.reader import verified
    from flows.store.catalog.copies import open_catalog

    layout = layout_of(config)
    with closing(open_catalog(layout)) as catalog:
        record = _newest(layout, catalog, name)
    data = _bundle_of(layout, record)
    verified(layout, record, data)
    if sys.stdout.isatty():
        echo(data.decode())
    else:
        sys.stdout.buffer.write(data)


def print_page(config: "Config", name: str, registry: str | None) -> None:
    """Print the address of the record's page at a registry, and open it where there is a screen."""
    from flows.ingest.worker_context import layout_of
    from flows.registry.record_page import open_page, page_of
    from flows.store.catalog.copies import open_catalog

    layout = layout_of(config)
    with closing(open_catalog(layout)) as catalog:
        record = _newest(layout, catalog, name)
    address = page_of(config, record.pith_number, registry)
    echo(address)
    if not open_page(address):
        echo("there is no browser to open it in", err=True)


def _shown(
    layout: "Layout",
    record: "KnownRecord",
    records: "Sequence[KnownRecord]",
    *,
    has_vanished: bool,
) -> ShownRecord:
    """Return what a record's verified bundle says; `records` are all of the paper, in order."""
    from flows.store.bundles.reader import verified
    from transforms.documents.event import is_created

    bundle = verified(layout, record, _bundle_of(layout, record))
    paper = bundle["state"]["current"]["graph_snapshots"][-1]["payload"]["graph_snapshot"]["paper"]
    created = next(event for event in bundle["events"] if is_created(event))
    receipt = created["payload"]["receipt"]
    at = records.index(record)
    return ShownRecord(
        pith_number=record.pith_number,
        short_pith_number=bundle["short_pith_number"],
        arxiv_id=record.arxiv_id,
        version=record.version,
        title=paper["title"],
        authors_text=paper["authors_text"],
        categories=[paper["primary_cat"], *paper["cross_cats"]],
        submitted_at=paper["submitted_at"],
        license=paper["license"] or "",
        canonical_sha256=bundle["canonical_sha256"],
        first_computed_at=receipt["first_computed_at"],
        signer_id=created["signer"]["signer_id"],
        key_id=receipt["key_id"],
        events=len(bundle["events"]),
        bundle=layout.files.location(layout.bundle(record.pith_number)),
        has_vanished=has_vanished,
        newer_records=[OtherRecord(one.pith_number, one.version) for one in records[at + 1 :]],
        older_records=[OtherRecord(one.pith_number, one.version) for one in records[:at]],
    )


def _blocks(shown: ShownRecord) -> Iterator[Block]:
    rows: list[tuple[str, Cell]] = [
        ("Pith Number", Line(shown.pith_number, Tone.STRONG)),
        ("short", shown.short_pith_number),
        ("arXiv", f"{shown.arxiv_id}v{shown.version}"),
        ("title", shown.title),
        ("authors", shown.authors_text),
        ("categories", " ".join(shown.categories)),
        ("submitted", shown.submitted_at),
        ("licence", shown.license or "none given"),
        ("sha256", shown.canonical_sha256),
        ("first computed", shown.first_computed_at),
        ("signed by", f"{shown.signer_id}, key {shown.key_id}"),
        ("events", str(shown.events)),
        ("bundle", shown.bundle),
    ]
    if shown.has_vanished:
        rows.append(("vanished", Line("arXiv has no such paper any more", Tone.WARNING)))
    for label, others in (
        ("newer record", shown.newer_records),
        ("older record", shown.older_records),
    ):
        rows += [(label, f"{other.pith_number} (v{other.version})") for other in others]
    yield Fields(rows)


def _newest(layout: "Layout", catalog: "Catalog", name: str) -> "KnownRecord":
    from flows.store.catalog.references import find_records, parse_references

    (reference,) = parse_references([name])
    return find_records(catalog, reference, layout.location)[-1]


def _bundle_of(layout: "Layout", record: "KnownRecord") -> bytes:
    from flows.store.bundles.reader import read_bundles

    return next(bundle for _, bundle in read_bundles(layout, [record]))
