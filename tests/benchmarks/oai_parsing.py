"""How fast OAI pages become papers, beside what lxml alone needs, and whether memory stays flat.

Run it with `.venv/bin/python tests/benchmarks/oai_parsing.py`. The page is generated, with 1,300
records as arXiv serves them.
"""

import resource
import sys
import time
from datetime import date
from pathlib import Path

from lxml import etree

sys.path.insert(0, str(Path(__file__).parents[1]))

from arxiv_server import make_library
from arxiv_server.services.oai import OaiService

from transforms.parsing.arxiv_xml import parse_page

RECORDS, PAGES = 1300, 1000


def page() -> bytes:
    """Render one full page of a generated library."""
    library = make_library(RECORDS, 1, date(2024, 1, 1), 30)
    service = OaiService(
        library, "https://oaipmh.arxiv.org/oai", RECORDS, RECORDS, date(2025, 1, 1)
    )
    asked = (("verb", "ListRecords"), ("metadataPrefix", "arXivRaw"))
    return service.answer(asked).xml.encode()


def peak_mib() -> float:
    """Return the most memory that this process ever had, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure, and print ratios first."""
    data = page()
    versions = sum(len(paper.versions) for paper in parse_page(data).papers)
    started = time.process_time()
    for _ in range(100):
        etree.fromstring(data)
    floor = (time.process_time() - started) / 100
    parse_page(data)
    before = peak_mib()
    started = time.process_time()
    for _ in range(PAGES):
        parse_page(data)
    ours = (time.process_time() - started) / PAGES
    print(f"time of parse_page / lxml alone: {ours / floor:.1f}")
    print(f"records a second, one process: {RECORDS / ours:,.0f}")
    print(f"peak memory over {PAGES} pages: {before:.0f} MiB before, {peak_mib():.0f} MiB after")
    print(f"({len(data):,} bytes and {versions / RECORDS:.1f} versions a record on average)")


if __name__ == "__main__":
    main()
