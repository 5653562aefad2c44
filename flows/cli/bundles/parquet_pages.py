"""Sizes of a Parquet file's pages, read before the library that decompresses them.

A page of 3 kB may decompress to 2 GB, and what the footer says of sizes binds nobody. The pages'
own headers do: a page decompresses to what its header says or fails. pyarrow gives no access to
them, and ends the process over some footers that its other readers take, so both are read here.
Source: https://github.com/apache/parquet-format, `parquet.thrift`.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from flows.cli.bundles.thrift import I32, I64, LIST, STRUCT, BadThriftError, EndOfBytesError, Reader

MAX_FOOTER = 16 * 2**20
"""Bytes of a footer: a row group of ten columns takes about 1,000."""

_MAX_HEADER = 2**20
"""Bytes of a page header: some 30, and two of the values where there are statistics."""

_MAGIC = b"PAR1"
_TAIL_BYTES = 8
_ROW_GROUPS, _COLUMNS, _METADATA = 4, 1, 3
_COMPRESSED_BYTES, _DATA_OFFSET, _DICTIONARY_OFFSET = 7, 9, 11
_PAGE_KIND, _PAGE_BYTES, _PAGE_COMPRESSED = 1, 2, 3
_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3
_VALUES, _OF_KIND = 1, {_DATA: (5, 2), _DICTIONARY: (7, 2), _DATA_2: (8, 4)}
"""In a page's header: the field of its kind's own part; in that, the number of values and the field
of their encoding."""

Header = dict[int, int]
"""The integers of a struct, by field."""

Parts = dict[int, Header]

_PLAIN, _PLAIN_DICTIONARY, _DICTIONARY_CODES = 0, 2, 8
_READ_BYTES = 4096
_ENTRY_BYTES, _LENGTH_BYTES = 16, 4
"""Of each value in a dictionary: what pyarrow keeps beside its copy, and its length before it."""


class BadPagesError(ValueError):
    """A footer or pages that cannot be read, or that announce what no table of bundles needs."""


@dataclass(frozen=True, slots=True)
class PageSizes:
    """Of one column chunk: the largest page decompressed, and what the largest of each kind take.

    Both in bytes; no value is larger than the first, and the second are in memory at one time.
    """

    largest: int
    held: int


def read_page_sizes(file: BinaryIO, columns: Collection[int]) -> Iterator[list[PageSizes]]:
    """Yield for each row group the sizes of the pages of some columns, in the order of the file.

    Raises `BadPagesError`, for encodings too in which a few bytes stand for many values of their
    own: only plain values and a dictionary of them are taken, which the writers that we know use
    for bytes by themselves.
    """
    try:
        for chunks in _row_groups(Reader(_footer(file)), columns):
            yield [_sizes_of_chunk(file, *chunk) for chunk in chunks]
    except BadThriftError as error:
        raise BadPagesError(f"its footer or a page header is damaged: {error}") from None


def _footer(file: BinaryIO) -> bytes:
    size = file.seek(0, 2)
    file.seek(max(0, size - _TAIL_BYTES))
    tail = file.read(_TAIL_BYTES)
    length = int.from_bytes(tail[:4], "little")
    if not tail.endswith(_MAGIC) or length + _TAIL_BYTES > size or length > MAX_FOOTER:
        raise BadPagesError(f"without a footer of at most {MAX_FOOTER} bytes")
    file.seek(size - _TAIL_BYTES - length)
    return file.read(length)


def _row_groups(reader: Reader, columns: Collection[int]) -> Iterator[list[tuple[int, int]]]:
    """Yield for each row group where the pages of the columns begin, and how long they are."""
    for number, kind in reader.fields():
        if (number, kind) == (_ROW_GROUPS, LIST):
            for _ in _structs(reader):
                yield _chunks_of_group(reader, columns)
        else:
            reader.skip(kind)


def _chunks_of_group(reader: Reader, columns: Collection[int]) -> list[tuple[int, int]]:
    chunks = []
    for number, kind in reader.fields():
        if (number, kind) == (_COLUMNS, LIST):
            for index in _structs(reader):
                if index in columns:
                    chunks.append(_chunk(reader))
                else:
                    reader.skip(STRUCT)
        else:
            reader.skip(kind)
    if len(chunks) != len(columns):
        raise BadPagesError("a row group without all columns")
    return chunks


def _structs(reader: Reader) -> Iterator[int]:
    """Yield the index of each struct of a list, which is read meanwhile."""
    for index, kind in enumerate(reader.items()):
        if kind != STRUCT:
            raise BadPagesError("a list of something else than structs")
        yield index


def _chunk(reader: Reader) -> tuple[int, int]:
    """Return where the pages of a column chunk begin, and their length."""
    found: Mapping[int, int] = {}
    for number, kind in reader.fields():
        if (number, kind) == (_METADATA, STRUCT):
            found = _integers(reader, I64)
        else:
            reader.skip(kind)
    start, length = found.get(_DATA_OFFSET, -1), found.get(_COMPRESSED_BYTES, -1)
    # What pyarrow does: an offset of 0, or behind the data, is none.
    if 0 < (dictionary := found.get(_DICTIONARY_OFFSET, 0)) < start:
        start = dictionary
    if start < 0 or length < 0:
        raise BadPagesError("a column without an offset in the file")
    return start, length


def _integers(reader: Reader, wanted: int) -> Header:
    """Read a struct, and return its integers of a kind; other fields are as if they were absent."""
    found = {}
    for number, kind in reader.fields():
        if kind == wanted:
            found[number] = reader.integer(kind)
        else:
            reader.skip(kind)
    return found


def _sizes_of_chunk(file: BinaryIO, start: int, length: int) -> PageSizes:
    largest, held = 0, {_DATA: 0, _DICTIONARY: 0, _DATA_2: 0}
    for kind, size, values in _pages(file, start, start + length):
        largest = max(largest, size)
        taken = 2 * size + _ENTRY_BYTES * values if kind == _DICTIONARY else size
        held[kind] = max(held[kind], taken)
    return PageSizes(largest, sum(held.values()))


def _pages(file: BinaryIO, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the kind of each page, its decompressed size, and how many values it has."""
    while at < end:
        file.seek(at)
        header, parts, header_bytes = _page_header(file, end - at)
        kind, size, compressed = (
            header.get(n, -1) for n in (_PAGE_KIND, _PAGE_BYTES, _PAGE_COMPRESSED)
        )
        if kind not in _OF_KIND:
            raise BadPagesError(f"a page of the kind {kind}")
        own, encoded = _OF_KIND[kind]
        values = parts.get(own, {})
        count, encoding = values.get(_VALUES, -1), values.get(encoded, -1)
        if min(size, compressed, count) < 0:
            raise BadPagesError("a page without its sizes")
        if encoding not in (_PLAIN, _PLAIN_DICTIONARY, _DICTIONARY_CODES):
            raise BadPagesError(f"values in encoding {encoding}, neither plain nor a dictionary")
        if kind == _DICTIONARY and count * _LENGTH_BYTES > size:
            raise BadPagesError("a dictionary with less bytes than its values need")
        yield kind, size, count
        at += header_bytes + compressed


def _page_header(file: BinaryIO, room: int) -> tuple[Header, Parts, int]:
    """Return the header that begins here, and its length; reads on while it is cut."""
    data = b""
    while piece := file.read(min(max(_READ_BYTES, len(data)), room - len(data))):
        data += piece
        reader = Reader(data)
        try:
            return *_header_and_parts(reader), reader.at
        except EndOfBytesError:
            if len(data) >= _MAX_HEADER:
                break
    raise BadPagesError("a page header without end")


def _header_and_parts(reader: Reader) -> tuple[Header, Parts]:
    header: Header = {}
    parts: Parts = {}
    for number, kind in reader.fields():
        if kind == I32:
            header[number] = reader.integer(kind)
        elif kind == STRUCT:
            parts[number] = _integers(reader, I32)
        else:
            reader.skip(kind)
    return header, parts
