"""The page headers of a Parquet column, read before the library that unpacks what they announce.

A page of 3 kB may unpack to 2 GB, and what the footer says of sizes binds nobody. The headers do: a
page unpacks to what its header says or fails. They are Thrift structs in the compact protocol
(https://github.com/apache/parquet-format, `PageHeader` in `parquet.thrift`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_MAX_HEADER = 2**20
"""Bytes of one header: some 30, and the smallest and largest value where there are statistics."""

_MAX_DEPTH = 8
_ENTRY_BYTES, _LENGTH_BYTES = 16, 4
"""Of each value in a dictionary: what pyarrow keeps beside its copy, and its length before it."""

_DATA, _DICTIONARY, _DATA_2 = 0, 2, 3
_READ_BYTES = 4096
_PLAIN, _PLAIN_DICTIONARY, _DICTIONARY_CODES = 0, 2, 8
_VALUES_OF_PAGE = {_DATA: (5, 2), _DICTIONARY: (7, 2), _DATA_2: (8, 4)}
"""The field of each type's own header, and in that the field of the values' encoding."""

_TRUE, _FALSE, _BYTE, _DOUBLE, _BINARY, _LIST, _SET, _STRUCT = 1, 2, 3, 7, 8, 9, 10, 12
_INTEGERS = {4, 5, 6}
_KIND, _LONG_LIST, _MORE, _MAX_SHIFT = 0x0F, 0x0F, 0x80, 63

Struct = dict[int, "int | Struct"]
"""The integers and structs among the fields of a struct, by field number."""


class BadPagesError(ValueError):
    """Page headers that cannot be read, or that announce what no table of bundles needs."""


@dataclass(frozen=True, slots=True)
class PageSizes:
    """Of one column chunk: the largest page unpacked, and what the largest of each type take.

    Both in bytes; no value is larger than the first, and the second are in memory at one time.
    """

    largest: int
    held: int


def read_page_sizes(file: BinaryIO, start: int, length: int) -> PageSizes:
    """Walk the pages of a column chunk; raises `BadPagesError` for one that is not as it should be.

    Encodings in which a few bytes stand for many values of their own are refused: only plain values
    and a dictionary of them, which the writers that we know use for bytes by themselves, are taken.
    """
    largest, held = 0, {_DATA: 0, _DICTIONARY: 0, _DATA_2: 0}
    for kind, size, values in _pages(file, start, start + length):
        largest = max(largest, size)
        taken = 2 * size + _ENTRY_BYTES * values if kind == _DICTIONARY else size
        held[kind] = max(held[kind], taken)
    return PageSizes(largest, sum(held.values()))


def _pages(file: BinaryIO, at: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the type of each page, its unpacked size, and how many values it has."""
    while at < end:
        file.seek(at)
        header, header_bytes = _read_header(file, end - at)
        kind, size, packed = (_integer(header, number) for number in (1, 2, 3))
        if kind not in _VALUES_OF_PAGE:
            raise BadPagesError(f"a page of type {kind}")
        own, encoding_field = _VALUES_OF_PAGE[kind]
        values = header.get(own)
        if not isinstance(values, dict) or size < 0 or packed < 0:
            raise BadPagesError("a page header without its parts")
        encoding = _integer(values, encoding_field)
        if encoding not in (_PLAIN, _PLAIN_DICTIONARY, _DICTIONARY_CODES):
            raise BadPagesError(
                f"values in the encoding {encoding}, neither plain nor a dictionary"
            )
        count = _integer(values, 1)
        if kind == _DICTIONARY and not 0 <= count * _LENGTH_BYTES <= size:
            raise BadPagesError("a dictionary with less bytes than its values need")
        yield kind, size, count
        at += header_bytes + packed


def _read_header(file: BinaryIO, room: int) -> tuple[Struct, int]:
    """Return the header that begins here, and its length; reads on while it is longer."""
    data = b""
    while len(data) < min(room, _MAX_HEADER):
        piece = file.read(min(max(_READ_BYTES, len(data)), room - len(data)))
        data += piece
        reader = _Reader(data)
        try:
            return reader.struct(), reader.at
        except IndexError:
            if not piece:
                break
    raise BadPagesError("a page header without end")


def _integer(struct: Struct, number: int) -> int:
    value = struct.get(number)
    if not isinstance(value, int):
        raise BadPagesError("a page header without its parts")
    return value


class _Reader:
    """Reads Thrift's compact protocol; an `IndexError` means that the bytes are not all there."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def struct(self, depth: int = 0) -> Struct:
        """Read a struct to its end."""
        fields: Struct = {}
        number = 0
        while byte := self._byte():
            number = number + (byte >> 4) if byte >> 4 else self._signed()
            value = self._value(byte & _KIND, depth)
            if value is not None:
                fields[number] = value
        return fields

    def _value(self, kind: int, depth: int) -> int | Struct | None:
        """Read a value; None for one of a kind that is passed over."""
        if depth > _MAX_DEPTH:
            raise BadPagesError("a page header nested too deeply")
        if kind in _INTEGERS:
            return self._signed()
        if kind == _STRUCT:
            return self.struct(depth + 1)
        if kind == _BINARY:
            self._skip(self._unsigned())
        elif kind == _DOUBLE:
            self._skip(8)
        elif kind == _BYTE:
            self._skip(1)
        elif kind in (_LIST, _SET):
            self._list(depth)
        elif kind not in (_TRUE, _FALSE):
            raise BadPagesError(f"a page header with a value of type {kind}")
        return None

    def _list(self, depth: int) -> None:
        byte = self._byte()
        count = byte >> 4 if byte >> 4 != _LONG_LIST else self._unsigned()
        for _ in range(count):
            kind = byte & _KIND
            if kind in (_TRUE, _FALSE):  # a byte each, unlike a struct's fields
                kind = _BYTE
            self._value(kind, depth + 1)

    def _skip(self, count: int) -> None:
        self.at += count
        if self.at > len(self.data):
            raise IndexError

    def _byte(self) -> int:
        byte = self.data[self.at]
        self.at += 1
        return byte

    def _unsigned(self) -> int:
        value = shift = 0
        while True:
            byte = self._byte()
            value |= (byte & ~_MORE) << shift
            if not byte & _MORE:
                return value
            shift += 7
            if shift > _MAX_SHIFT:
                raise BadPagesError("a number of more than 64 bits in a page header")

    def _signed(self) -> int:
        value = self._unsigned()
        number = value >> 1 ^ -(value & 1)
        if not -(2**31) <= number < 2**31:
            raise BadPagesError("a number of more than 32 bits in a page header")
        return number
