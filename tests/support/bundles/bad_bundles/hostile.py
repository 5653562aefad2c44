"""Bytes that are no bundle."""

HOSTILE = {
    "nothing": b"",
    "blank": b" ",
    "not UTF-8": b"\xff",
    "not JSON": b"{",
    "a list": b"[]",
    "another object": b"{}",
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "NaN": b'{"bundle_type":NaN}',
    "a float": b'{"bundle_type":1.0}',
    "a huge number": b'{"n":' + b"9" * 5000 + b"}",
    "a key twice": b'{"bundle_type":1,"bundle_type":"pith_open_graph_bundle"}',
    "too large": b" " * (8 * 2**20 + 1),
}
