"""The command `show`, and what reading what is kept needs: no lock, and nothing is written."""

import sys
from contextlib import closing

from flows.common.config import Config
from flows.common.errors import StoreError
from flows.common.terminal import echo
from flows.ingest.worker_context import layout_of
from flows.store.bundles.reader import read_bundles, verified
from flows.store.catalog.catalog import Catalog, KnownRecord
from flows.store.catalog.copies import readable_catalog
from flows.store.catalog.file import DamagedCatalogError
from flows.store.catalog.reader import is_there
from flows.store.catalog.references import find_records, parse_references
from flows.store.layout import Layout
from flows.store.ledger import MEND, entry_numbers
from transforms.documents.event import is_created


def print_record(config: Config, name: str) -> None:
    """Print a summary of the newest record that `name` means, and the paper's other records."""
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
        "bundle": layout.files.place(layout.bundle(record.pith_number)),
    }
    for label, value in lines.items():
        echo(f"{label:<15} {value}")
    if has_vanished:
        echo(f"{'vanished':<15} arXiv has no such paper any more")
    at = records.index(record)
    for label, others in (("newer record", records[at + 1 :]), ("older record", records[:at])):
        for other in others:
            echo(f"{label:<15} {other.pith_number} (v{other.version})")


def print_bundle(config: Config, name: str) -> None:
    """Write the exact bytes of the newest bundle that `name` means to standard output.

    A terminal gets it with its control characters written out: those bytes are for files and pipes.
    """
    layout = layout_of(config)
    with closing(open_catalog(layout)) as catalog:
        record = _newest(layout, catalog, name)
    data = _bundle_of(layout, record)
    verified(layout, record, data)
    if sys.stdout.isatty():
        echo(data.decode())
    else:
        sys.stdout.buffer.write(data)


def _newest(layout: Layout, catalog: Catalog, name: str) -> KnownRecord:
    (reference,) = parse_references([name])
    return find_records(catalog, reference, layout.place)[-1]


def open_catalog(layout: Layout) -> Catalog:
    """Open the catalog for reading; raises `StoreError` where there is none."""
    file = readable_catalog(layout)
    nothing = StoreError(f"there are no records in {layout.place} yet; run a backfill first")
    if not is_there(file):
        if entry_numbers(layout.files):
            raise StoreError(f"the catalog of {layout.place} is gone; {MEND}")
        raise nothing
    try:
        return Catalog.open(file, read_only=True)
    except DamagedCatalogError:
        # As a run leaves it that was killed before its first commit.
        if entry_numbers(layout.files):
            raise
        raise nothing from None


def _bundle_of(layout: Layout, record: KnownRecord) -> bytes:
    return next(bundle for _, bundle in read_bundles(layout, [record]))
