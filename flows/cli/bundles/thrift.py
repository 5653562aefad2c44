"""Thrift's compact protocol, as far as Parquet's own structs use it, from bytes nobody vouches for.

Source: https://github.com/apache/thrift, `doc/specs/thrift-compact-protocol.md`. Nothing is built:
who reads goes from field to field, takes what it knows and skips the rest.
"""

from collections.abc import Iterator

I32, I64, LIST, STRUCT = 5, 6, 9, 12
_TRUE, _FALSE, _BYTE, _I16, _DOUBLE, _BINARY, _SET = 1, 2, 3, 4, 7, 8, 10
_BITS = {_I16: 15, I32: 31, I64: 63}
_MAX_DEPTH = 16
_MAX_FIELD = 2**15 - 1
_KIND, _LONG_LIST, _MORE, _MAX_SHIFT = 0x0F, 0x0F, 0x80, 63


class BadThriftError(ValueError):
    """Bytes that are no struct, or that two readers could understand in two ways."""


class EndOfBytesError(BadThriftError):
    """The bytes end before the struct does."""


class Reader:
    """Reads `data` from its beginning; `at` is how far. Every method raises `BadThriftError`."""

    def __init__(self, data: bytes) -> None:
        """Read nothing yet."""
        self.data = data
        self.at = 0

    def fields(self) -> Iterator[tuple[int, int]]:
        """Yield number and kind of each field of a struct; each value must be read meanwhile.

        A number that stands twice is refused: the one that counts depends on the reader.
        """
        number = 0
        seen: set[int] = set()
        while byte := self._byte():
            number = number + (byte >> 4) if byte >> 4 else self.integer(_I16)
            if number in seen or number > _MAX_FIELD:
                raise BadThriftError(f"field {number} twice, or none")
            seen.add(number)
            yield number, byte & _KIND

    def items(self) -> Iterator[int]:
        """Yield the kind of each item of a list; each must be read meanwhile."""
        byte = self._byte()
        count = byte >> 4 if byte >> 4 != _LONG_LIST else self._unsigned()
        kind = byte & _KIND
        for _ in range(count):
            yield _BYTE if kind in (_TRUE, _FALSE) else kind  # unlike a field, it has its own byte

    def integer(self, kind: int) -> int:
        """Read an integer of a kind."""
        value = self._unsigned()
        number = value >> 1 ^ -(value & 1)
        if not -(1 << _BITS[kind]) <= number < 1 << _BITS[kind]:
            raise BadThriftError("an integer of too many bits")
        return number

    def skip(self, kind: int, depth: int = 0) -> None:
        """Read a value of any kind and forget it."""
        if depth > _MAX_DEPTH:
            raise BadThriftError("structs nested too deeply")
        if kind in _BITS:
            self.integer(kind)
        elif kind == STRUCT:
            for _, inner in self.fields():
                self.skip(inner, depth + 1)
        elif kind in (LIST, _SET):
            for inner in self.items():
                self.skip(inner, depth + 1)
        elif kind in (_BYTE, _DOUBLE, _BINARY):
            self._pass({_BYTE: 1, _DOUBLE: 8}.get(kind) or self._unsigned())
        elif kind not in (_TRUE, _FALSE):
            raise BadThriftError(f"a value of the kind {kind}")

    def _pass(self, count: int) -> None:
        self.at += count
        if self.at > len(self.data):
            raise EndOfBytesError("cut before its end")

    def _byte(self) -> int:
        if self.at >= len(self.data):
            raise EndOfBytesError("cut before its end")
        byte = self.data[self.at]
        self.at += 1
        return byte

    def _unsigned(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & _MORE:
            value |= (byte & ~_MORE) << shift
            shift += 7
            if shift > _MAX_SHIFT:
                raise BadThriftError("an integer of more than 64 bits")
        return value | byte << shift
