"""The command `show`, and what reading what is kept needs: no lock, and nothing is written."""

import re
import sys
from contextlib import closing

from flows.config import Config
from flows.desks import layout_of
from flows.errors import ConfigError, StoreError
from flows.store.catalog import Catalog, KnownRecord
from flows.store.layout import Layout
from flows.store.shards import find_bundles
from flows.store.shared import readable_catalog
from flows.terminal import echo
from transforms.strict_json import read_json

_NUMBER = re.compile(r"pith:(\d{4}):([A-Z2-7]{26})", re.ASCII)
_SHORT_NUMBER = re.compile(r"(?:pith:)?([A-Z2-7]{8,26})", re.ASCII)


def print_record(config: Config, name: str) -> None:
    """Print a summary of the newest record that `name` (an arXiv id or a number) stands for."""
    layout = layout_of(config)
    records = _find_records(layout, name)
    record = records[-1]
    bundle = read_json(_bundle_of(layout, record))
    shown = bundle["state"]["current"]["graph_snapshots"][-1]["payload"]["graph_snapshot"]["paper"]
    receipt = bundle["events"][0]["payload"]["receipt"]
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
        "signed by": f"{bundle['events'][0]['signer']['signer_id']}, key {receipt['key_id']}",
        "events": str(len(bundle["events"])),
        "bundle": layout.files.place(layout.bundle(record.pith_number)),
    }
    for label, value in lines.items():
        echo(f"{label:<15} {value}")
    if _has_vanished(layout, record.arxiv_id):
        echo(f"{'vanished':<15} arXiv has no such paper any more")
    for older in records[:-1]:
        echo(f"{'older record':<15} {older.pith_number} (v{older.version})")


def print_bundle(config: Config, name: str) -> None:
    """Write the exact bytes of the newest bundle that `name` stands for to standard output.

    A terminal gets it with its control characters written out: those bytes are for files and pipes.
    """
    layout = layout_of(config)
    data = _bundle_of(layout, _find_records(layout, name)[-1])
    if sys.stdout.isatty():
        echo(data.decode())
    else:
        sys.stdout.buffer.write(data)


def _find_records(layout: Layout, name: str) -> list[KnownRecord]:
    with closing(open_catalog(layout)) as catalog:
        if match := _NUMBER.fullmatch(name):
            found = list(catalog.known([name]).values())
        elif match := _SHORT_NUMBER.fullmatch(name):
            found = catalog.of_prefix(match[1])
        else:
            found = catalog.of_arxiv_id(name)
    if not found:
        raise ConfigError(f"nothing is known of {name!r:.80} in {layout.place}")
    return found


def _has_vanished(layout: Layout, arxiv_id: str) -> bool:
    with closing(open_catalog(layout)) as catalog:
        return catalog.has_vanished(arxiv_id)


def open_catalog(layout: Layout) -> Catalog:
    """Open the catalog for reading; raises `StoreError` where there is none yet."""
    file = readable_catalog(layout)
    if not file.exists():
        raise StoreError(f"there are no records in {layout.place} yet; run a backfill first")
    return Catalog.open(file, read_only=True)


def _bundle_of(layout: Layout, record: KnownRecord) -> bytes:
    return find_bundles(layout, record.shard, [record.pith_number])[record.pith_number]
