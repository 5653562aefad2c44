"""The command `show`: what is known of one paper, or its exact bundle."""

import sys
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import ConfigOption, DataOption, load
from flows.common.terminal import echo

if TYPE_CHECKING:
    from flows.common.config import Config
    from flows.store.catalog.catalog import Catalog
    from flows.store.catalog.records import KnownRecord
    from flows.store.layout import Layout


def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="PAPER",
            help="An arXiv id (with a version for that one alone), a link to arXiv, a DOI of "
            "arXiv's or a Pith Number.",
        ),
    ],
    *,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Print the exact bundle instead of a summary.")
    ] = False,
    config: ConfigOption = None,
    data: DataOption = None,
) -> None:
    """Show what is known of one paper: its newest record, or the one that is named.

    Examples:
        pith-ingest show 1906.10822
        pith-ingest show https://arxiv.org/abs/1906.10822v1
        pith-ingest show --bundle JUV2VY6F > bundle.json
    """
    (print_bundle if bundle else print_record)(load(config, data), name)


def print_record(config: "Config", name: str) -> None:
    """Print a summary of the newest record that `name` means, and the paper's other records."""
    from flows.ingest.worker_context import layout_of
    from flows.store.bundles.reader import verified
    from flows.store.catalog.copies import open_catalog
    from transforms.documents.event import is_created

    layout = layout_of(config)
    with closing(open_catalog(layout)) as catalog:
        record = _newest(layout, catalog, name)
        records = catalog.of_arxiv_id(record.arxiv_id)
        has_vanished = catalog.has_vanished(record.arxiv_id)
    bundle = verified(layout, record, _bundle_of(layout, record))
    shown = bundle["state"]["current"]["graph_snapshots"][-1]["payload"]["graph_snapshot"]["paper"]
    created = next(event for event in bundle["events"] if is_created(event))
    receipt = created["payload"]["receipt"]
    lines = {
        "Pith Number": record.pith_number,
        "short": bundle["short_pith_number"],
        "arXiv": f"{record.arxiv_id}v{record.version}",
        "title": shown["title"],
        "authors": shown["authors_text"],
        "categories": " ".join([shown["primary_cat"], *shown["cross_cats"]]),
        "submitted": shown["submitted_at"],
        "licence": shown["license"] or "none given",
        "sha256": bundle["canonical_sha256"],
        "first computed": receipt["first_computed_at"],
        "signed by": f"{created['signer']['signer_id']}, key {receipt['key_id']}",
        "events": str(len(bundle["events"])),
        "bundle": layout.files.location(layout.bundle(record.pith_number)),
    }
    for label, value in lines.items():
        echo(f"{label:<15} {value}")
    if has_vanished:
        echo(f"{'vanished':<15} arXiv has no such paper any more")
    at = records.index(record)
    for label, others in (("newer record", records[at + 1 :]), ("older record", records[:at])):
        for other in others:
            echo(f"{label:<15} {other.pith_number} (v{other.version})")


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


def _newest(layout: "Layout", catalog: "Catalog", name: str) -> "KnownRecord":
    from flows.store.catalog.references import find_records, parse_references

    (reference,) = parse_references([name])
    return find_records(catalog, reference, layout.location)[-1]


def _bundle_of(layout: "Layout", record: "KnownRecord") -> bytes:
    from flows.store.bundles.reader import read_bundles

    return next(bundle for _, bundle in read_bundles(layout, [record]))
