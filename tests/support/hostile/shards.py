"""Parquet that lies: files with one column `bundle`, composed byte by byte."""

import io
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import zstandard

from support.papers.golden_data import GOLDEN

MAGIC = b"PAR1"
PLAIN, RLE, DELTA_LENGTH, DELTA, RLE_DICTIONARY = 0, 3, 6, 7, 8
DATA, DICTIONARY = 0, 2
ZSTD = 6
MOST = 2**31 - 1


def unsigned(number: int) -> bytes:
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def integer(number: int) -> bytes:
    return unsigned(number << 1 if number >= 0 else ~(number << 1))


def thrift(fields: dict[int, Any]) -> bytes:
    """Write a struct: int as i32, (int,) as i64, bytes, list of one of these, dict as struct."""
    out, last = b"", 0
    for number, value in fields.items():
        kind, data = thrift_value(value)
        step = number - last
        out += bytes([step << 4 | kind]) if 0 < step < 16 else bytes([kind]) + integer(number)
        out += data
        last = number
    return out + b"\0"


def thrift_value(value: Any) -> tuple[int, bytes]:
    if isinstance(value, int):
        return 5, integer(value)
    if isinstance(value, tuple):
        return 6, integer(value[0])
    if isinstance(value, bytes):
        return 8, unsigned(len(value)) + value
    if isinstance(value, dict):
        return 12, thrift(value)
    items = [thrift_value(item) for item in value]
    kind = items[0][0] if items else 5
    head = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([0xF0 | kind])
    return 9, head + (b"" if len(items) < 15 else unsigned(len(items))) + b"".join(
        data for _, data in items
    )


@dataclass
class Page:
    """A page whose header may say something else than what it holds."""

    body: bytes
    values: int = 1
    kind: int = DATA
    encoding: int = PLAIN
    says: int | None = None
    number: int | None = None
    """The field of its own part, if not the one of its kind."""

    def written(self) -> bytes:
        packed = zstandard.compress(self.body)
        own = {1: self.values, 2: self.encoding}
        if self.kind == DATA:
            own |= {3: RLE, 4: RLE}
        size = len(self.body) if self.says is None else self.says
        number = (5 if self.kind == DATA else 7) if self.number is None else self.number
        header = {1: self.kind, 2: size, 3: len(packed), number: own}
        return thrift(header) + packed


@dataclass
class Column:
    """A flat column of bytes, all of whose rows are there, in one row group."""

    name: bytes = b"bundle"
    pages: Sequence[Page] = field(default_factory=list)
    values: int = 1
    extra: dict[int, Any] = field(default_factory=dict)
    """More fields of its metadata."""


def plain(*values: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(value)) + value for value in values)


def run(count: int, *, index: int = 0, bits: int = 1) -> bytes:
    """Write the codes of a dictionary: one of them, `count` times."""
    return bytes([bits]) + unsigned(count << 1) + bytes([index])


def shard(*columns: Column, rows: int = 1, groups: int = 1, writer: bytes = b"x") -> bytes:
    """Compose a file; several groups all name the same pages."""
    out = MAGIC
    chunks = []
    for column in columns:
        start, data_start = len(out), 0
        for page in column.pages:
            data_start = data_start or (len(out) if page.kind == DATA else 0)
            out += page.written()
        has_dictionary = any(page.kind == DICTIONARY for page in column.pages)
        meta: dict[int, Any] = {
            1: 6, 2: [PLAIN, RLE, RLE_DICTIONARY], 3: [column.name], 4: ZSTD, 5: (column.values,),
            6: (100,), 7: (len(out) - start,), 9: (data_start or start,),
        }  # fmt: skip
        if has_dictionary:
            meta[11] = (start,)
        chunks.append({2: (start,), 3: meta | column.extra})
    schema: list[Any] = [{4: b"schema", 5: len(columns)}]
    schema += [{1: 6, 3: 0, 4: column.name} for column in columns]
    group = {1: chunks, 2: (100,), 3: (rows,)}
    footer = thrift({1: 1, 2: schema, 3: (rows * groups,), 4: [group] * groups, 6: writer})
    return out + footer + struct.pack("<I", len(footer)) + MAGIC


def table(**columns: Any) -> bytes:
    """Write an honest table by pyarrow."""
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="zstd", store_schema=False)
    return sink.getvalue()


def one_value(size: int, rows: int) -> bytes:
    """Write one value of zeros, named by every row: a few kilobytes whatever its size."""
    value = pa.array([bytes(size)], pa.binary())
    codes = pa.array([0] * rows, pa.int32())
    return table(bundle=pa.DictionaryArray.from_arrays(codes, value))


GOOD = [golden.data for golden in GOLDEN]
"""Five bundles: in a table of them damage is told after those before it."""


def good() -> bytes:
    return table(bundle=pa.array(GOOD, pa.binary()))


def published() -> bytes:
    """Write the table as the store does: the columns that must agree with the bundle too."""
    bundles = [golden.bundle for golden in GOLDEN]
    return table(
        bundle=pa.array(GOOD, pa.binary()),
        pith_number=[bundle["pith_number"] for bundle in bundles],
        canonical_sha256=[bundle["canonical_sha256"] for bundle in bundles],
        bundle_sha256=[bundle["bundle_signature"]["bundle_sha256"] for bundle in bundles],
    )


def two_columns() -> bytes:
    arrays = [pa.array(GOOD, pa.binary())] * 2
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=["bundle", "bundle"]), sink)
    return sink.getvalue()


def codes(count: int) -> list[Page]:
    """Return a dictionary of one bundle, and a page that names it `count` times."""
    return [
        Page(plain(GOOD[0]), kind=DICTIONARY),
        Page(run(count), values=count, encoding=RLE_DICTIONARY),
    ]


def boundless_footer() -> bytes:
    footer = thrift({1: 1, 2: [{4: b"schema", 5: 1}, {1: 6, 3: 0, 4: b"bundle"}], 3: (1,)})
    footer = footer[:-1] + b"\x19\xfc" + unsigned(MOST) + b"\0"
    return MAGIC + footer + struct.pack("<I", len(footer)) + MAGIC


SHARDS: dict[str, Callable[[], bytes]] = {
    "one value of 100 MB in 2,000 rows": lambda: one_value(100_000_000, 2000),
    "one value of 8 MiB in 2,000 rows": lambda: one_value(8 * 2**20, 2000),
    "two columns bundle": two_columns,
    "a column bundle and a group bundle": lambda: table(
        bundle=pa.array(GOOD, pa.binary()), **{"bundle.x": pa.array(GOOD, pa.binary())}
    ),
    "a column of structs": lambda: table(bundle=pa.array([{"x": GOOD[0]}])),
    "a column of lists": lambda: table(bundle=pa.array([GOOD])),
    "a number beside it": lambda: table(bundle=GOOD, pith_number=list(range(5))),
    "a list beside it": lambda: table(bundle=GOOD, pith_number=[["x"] * 1000] * 5),
    "a dictionary of text beside it": lambda: table(
        bundle=GOOD, pith_number=pa.array(["x" * 1_000_000] * 5).dictionary_encode()
    ),
    "rows of nothing": lambda: table(bundle=pa.nulls(200_000, pa.binary())),
    "a row of 2,147,483,647": lambda: shard(
        Column(pages=codes(MOST), values=MOST), rows=MOST
    ),
    "5,000 row groups of the same pages": lambda: shard(
        Column(pages=codes(50), values=50), rows=50, groups=5_000
    ),
    "a page that says 2 GiB": lambda: shard(Column(pages=[Page(plain(GOOD[0]), says=MOST)])),
    "a page that says less than nothing": lambda: shard(
        Column(pages=[Page(plain(GOOD[0]), says=-1)])
    ),
    "a page that says less than it holds": lambda: shard(
        Column(pages=[Page(plain(GOOD[0]), says=100)])
    ),
    "a page of 2 GiB packed": lambda: shard(
        Column(pages=[Page(plain(bytes(200_000_000)), says=MOST)])
    ),
    "a value longer than its page": lambda: shard(
        Column(pages=[Page(struct.pack("<I", MOST) + GOOD[0])])
    ),
    "a value of a negative length": lambda: shard(
        Column(pages=[Page(struct.pack("<i", -5) + GOOD[0])])
    ),
    "a dictionary of 2,147,483,647 values": lambda: shard(
        Column(
            pages=[
                Page(plain(GOOD[0]), kind=DICTIONARY, values=MOST),
                Page(run(1), encoding=RLE_DICTIONARY),
            ]
        )
    ),
    "a code beyond its dictionary": lambda: shard(
        Column(
            pages=[
                Page(plain(GOOD[0]), kind=DICTIONARY),
                Page(run(1, index=7, bits=3), encoding=RLE_DICTIONARY),
            ]
        )
    ),
    "codes of 200 bits": lambda: shard(
        Column(
            pages=[
                Page(plain(GOOD[0]), kind=DICTIONARY),
                Page(run(1, bits=200), encoding=RLE_DICTIONARY),
            ]
        )
    ),
    "lengths by differences": lambda: shard(
        Column(pages=[Page(b"\x80\x01\x04" + unsigned(MOST) + b"\0", encoding=DELTA_LENGTH)])
    ),
    "values by differences": lambda: shard(
        Column(pages=[Page(b"\x80\x01\x04" + unsigned(MOST) + b"\0", encoding=DELTA)])
    ),
    "a page of another kind": lambda: shard(Column(pages=[Page(b"", kind=77)])),
    "counts of levels that it has not": lambda: shard(
        Column(pages=[Page(plain(GOOD[0]))], extra={16: {3: [(1,), (1,)]}})
    ),
    "a page kind 77, and a field 0": lambda: shard(
        Column(pages=[Page(plain(GOOD[0]), kind=77, number=0)])
    ),
    "no pages": lambda: shard(Column(), rows=3),
    "a name that is not UTF-8": lambda: shard(
        Column(pages=[Page(plain(GOOD[0]))]), Column(b"\xff\xfe", [Page(plain(b"x"))])
    ),
    "a footer of 4 GiB": lambda: MAGIC + b"x" * 100 + b"\xff\xff\xff\xff" + MAGIC,
    "a footer of noise": lambda: MAGIC + b"\x15\x02" * 500 + struct.pack("<I", 1000) + MAGIC,
    "a footer of 2,147,483,647 row groups": boundless_footer,
    "one plain value of 120 MB": lambda: shard(Column(pages=[Page(plain(bytes(120_000_000)))])),
    "sixteen plain values of 30 MB": lambda: shard(
        Column(pages=[Page(plain(bytes(30_000_000)))] * 16, values=16), rows=16
    ),
    "less rows than it says": lambda: shard(
        Column(pages=[Page(plain(GOOD[0]))], values=1000), rows=1000
    ),
    "nothing but its name": lambda: b"",
}  # fmt: skip
"""By what is wrong with them."""
