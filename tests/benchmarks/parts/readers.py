"""What reading costs alone: replies of arXiv into papers, and bundles that are verified."""

import tempfile
import time
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from arxiv_server import make_library
from arxiv_server.services.oai import OaiService
from support.bundles.signed_events import ISSUER
from support.papers.golden_data import GOLDEN

from benchmarks.parts.floors import bare_parsing, four_checks
from benchmarks.parts.runs import Bench
from flows.cli.bundles.inputs import read_sources
from flows.store.layout import Layout
from flows.store.parquet.shards import ShardName
from flows.store.parquet.writer import ShardWriter, name_shard
from transforms import IssueTimes, build_bundle
from transforms.encoding.digest import Digest
from transforms.parsing.arxiv_xml import parse_page
from transforms.tables.rows import bundle_row
from transforms.verify.verify import verify_bundle

RECORDS, PAGES, PAGE_ROUNDS = 1300, 2, 9
BUNDLES, CHECK_ROUNDS = 1000, 5


def measure_pages(bench: Bench) -> None:
    """Measure pages of 1,300 generated records, as arXiv serves them, becoming papers."""
    library = make_library(RECORDS, 1, date(2024, 1, 1), 30)
    service = OaiService(
        library, "https://oaipmh.arxiv.org/oai", RECORDS, RECORDS, date(2025, 1, 1)
    )
    asked = (("verb", "ListRecords"), ("metadataPrefix", "arXivRaw"))
    pages = [service.answer(asked).xml.encode()] * PAGES
    parse_page(pages[0])
    for _ in range(PAGE_ROUNDS):
        started = time.process_time()
        for page in pages:
            parse_page(page)
        bench.note("pages", (time.process_time() - started) / PAGES / RECORDS)
        bench.note("pages: lxml", bare_parsing(pages, PAGES * RECORDS))


def measure_checks(bench: Bench) -> None:
    """Measure the bundles of a shard, from the file to the last report."""
    pinned = {ISSUER.signer.public_key}
    with tempfile.TemporaryDirectory() as folder:
        shard = _write_bundles(Path(folder))
        for _ in range(CHECK_ROUNDS):
            started = time.process_time()
            for found in read_sources([shard]):
                assert verify_bundle(found.data or b"", pinned, columns=found.columns).trusted
            bench.note("verifying", (time.process_time() - started) / BUNDLES)
            bench.note("verifying: four checks", four_checks(BUNDLES))


def _write_bundles(folder: Path) -> Path:
    """Write one shard of the published papers under many other ids, and return its path."""
    times = IssueTimes.at(datetime(2026, 11, 21, tzinfo=UTC))
    rows = []
    for number in range(BUNDLES):
        paper = replace(GOLDEN[number % len(GOLDEN)].paper, id=f"2601.{number:05}")
        bundle = build_bundle(paper, issuer=ISSUER, times=times)
        rows.append(bundle_row(bundle, snapshot_sha256=Digest(bytes(32)), issued_at=times.built_at))
    layout, writer = Layout(folder), ShardWriter()
    writer.add("bundles", rows)
    name_shard(
        layout, writer.write(layout, ShardName("shard", "a benchmark", "no run", "no folder"))
    )
    return folder / layout.shard("bundles", "shard")
