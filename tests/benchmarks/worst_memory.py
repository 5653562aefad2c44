"""How much memory each reader takes for the worst input that its limits let in.

Run it with `.venv/bin/python tests/benchmarks/worst_memory.py`. What SECURITY.md says of a reader's
memory comes from here. Each input is read in a process of its own; figures are what that process had
at most beyond what it began with, and 0 where there is no `/proc`.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import zstandard

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.linearity import apart, parse_row, read_shard, unpack, verify
from hostile import inputs
from hostile.inputs import Input
from hostile.shards import SHARDS

from flows.snapshot import MAX_LINE_BYTES
from transforms.arxiv_xml import parse_page
from transforms.oai_lists import parse_identifiers
from transforms.oai_xml import MAX_PAGE_BYTES
from transforms.strict_json import MAX_BYTES, MAX_VALUES
from transforms.strict_xml import MAX_MARKUP


def markup(data: bytes) -> int:
    """Count as `strict_xml` does."""
    return data.count(b"<") + data.count(b"=")


def values(data: bytes) -> int:
    """Count as `strict_json` does."""
    return sum(map(data.count, (b",", b"[", b"{")))


def largest(make: Input, most: int, counted: Callable[[bytes], int], most_counted: int) -> int:
    """Return the size of about the largest input that both limits let in."""
    low, high = 1, most + 1
    while high - low > max(100, low // 50):
        middle = (low + high) // 2
        data = make(middle)
        if len(data) <= most and counted(data) <= most_counted:
            low = middle
        else:
            high = middle
    return low


def long_window(size: int) -> bytes:
    """Compress zeros so that whoever unpacks them has to keep 128 MiB."""
    parameters = zstandard.ZstdCompressionParameters(window_log=27, compression_level=1)
    return zstandard.ZstdCompressor(compression_params=parameters).compress(bytes(size))


def measure() -> dict[str, float]:
    """Return the most MiB that the inputs of each reader take."""
    reply = (MAX_PAGE_BYTES, markup, MAX_MARKUP)
    bundle = (MAX_BYTES, values, MAX_VALUES)
    line = (MAX_LINE_BYTES, len, MAX_LINE_BYTES)
    pages, ids, rows, bundles = inputs.PAGES, inputs.IDENTIFIERS, inputs.ROWS, inputs.BUNDLES
    taken = {
        "a reply of arXiv": [
            *(apart(parse_page, pages[kind], largest(pages[kind], *reply))
              for kind in ("rejects", "broken records", "elements", "attributes")),
            apart(parse_identifiers, ids["rejects"], largest(ids["rejects"], *reply)),
        ],
        "a bundle": [
            apart(verify, bundles[kind], largest(bundles[kind], *bundle))
            for kind in ("keys that are not ASCII", "aliases", "lists", "events, the same again")
        ],
        "a line of a snapshot": [
            apart(parse_row, rows[kind], largest(rows[kind], *line)) for kind in ("lists", "keys")
        ],
        "a packed file": [apart(unpack, long_window, 200 * 2**20)],
        "a shard": [
            apart(read_shard, lambda _: SHARDS["one plain value of 120 MB"](), 0),
            apart(read_shard, lambda _: SHARDS["one value of 8 MiB in 2,000 rows"](), 0),
        ],
    }  # fmt: skip
    return {reader: max(each.mib for each in all_taken) for reader, all_taken in taken.items()}


if __name__ == "__main__":
    for reader, most in measure().items():
        print(f"{reader}: {most:.0f} MiB")
