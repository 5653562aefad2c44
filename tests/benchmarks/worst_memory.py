"""How much memory each reader takes for the worst input that its limits let in.

Run it with `.venv/bin/python tests/benchmarks/worst_memory.py`. What SECURITY.md says of a reader's
memory comes from here. Each input is read in a process of its own; figures are what that process
had at most beyond what it began with, and 0 where there is no `/proc`.
"""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import zstandard

sys.path.insert(0, str(Path(__file__).parents[1]))

from support.hostile import inputs
from support.hostile.inputs import Input
from support.hostile.shards import SHARDS

from benchmarks.linearity import Taken, apart, parse_row, read_shard, unpack, verify
from flows.sources.kaggle.lines import MAX_LINE_BYTES
from transforms.encoding.strict_json import MAX_BYTES, MAX_VALUES
from transforms.parsing.arxiv_xml import parse_page
from transforms.parsing.oai_lists import parse_identifiers
from transforms.parsing.oai_xml import MAX_PAGE_BYTES
from transforms.parsing.strict_xml import MAX_MARKUP

MOST_MIB = 600
"""What SECURITY.md says."""


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


REPLY = (MAX_PAGE_BYTES, markup, MAX_MARKUP)
BUNDLE = (MAX_BYTES, values, MAX_VALUES)
LINE = (MAX_LINE_BYTES, len, MAX_LINE_BYTES)


def by_kind(
    read: Callable[[bytes], object],
    kinds: Mapping[str, Input],
    limits: tuple[int, Callable[[bytes], int], int],
    *names: str,
) -> Iterator[Taken]:
    """Yield what the largest inputs of these kinds take."""
    for name in names:
        yield apart(read, kinds[name], largest(kinds[name], *limits))


def _of_any_size(data: bytes) -> Input:
    return lambda _: data


def shards() -> Iterator[Taken]:
    """Yield what shards take that are small on the disk."""
    for name in ("one plain value of 120 MB", "one value of 8 MiB in 2,000 rows"):
        yield apart(read_shard, _of_any_size(SHARDS[name]()), 0)


READERS: dict[str, Callable[[], Iterator[Taken]]] = {
    "a bundle": lambda: by_kind(
        verify, inputs.BUNDLES, BUNDLE,
        "keys that are not ASCII", "aliases", "lists", "events, the same again",
    ),
    "a packed file": lambda: iter([apart(unpack, long_window, 200 * 2**20)]),
    "a shard": shards,
    "a line of a snapshot": lambda: by_kind(parse_row, inputs.ROWS, LINE, "lists", "keys"),
    "a list of ids": lambda: by_kind(parse_identifiers, inputs.IDENTIFIERS, REPLY, "rejects"),
    "a page of records": lambda: by_kind(
        parse_page, inputs.PAGES, REPLY, "rejects", "broken records", "elements", "attributes"
    ),
}  # fmt: skip
"""What each reader takes for inputs that hurt it, as large as its limits let in."""


def main() -> int:
    """Measure the readers named, or all; the exit status is 1 if one takes more than is said."""
    most = 0.0
    for reader in sys.argv[1:] or READERS:
        taken = max(each.mib for each in READERS[reader]())
        most = max(most, taken)
        print(f"{reader}: {taken:.0f} MiB")
    return most > MOST_MIB


if __name__ == "__main__":
    sys.exit(main())
