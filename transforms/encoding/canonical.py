"""Canonical text and canonical JSON: the bytes on which every hash stands (spec, 1)."""

import json

import orjson

from transforms.encoding.digest import Digest, sha256

MAX_DEPTH = 254
"""Objects and lists within each other; more is refused. A bundle needs 8; orjson can do 254."""

MAX_INTEGER = 2**53
"""The largest magnitude that every JSON reader keeps exactly (RFC 7493, section 2.2)."""

_ASCII = "".join(map(chr, range(128)))
_LOWER_AND_SPACES = bytes.maketrans(
    _ASCII.encode(), "".join(" " if c.isspace() else c.lower() for c in _ASCII).encode()
)


class CanonicalError(ValueError):
    """A value that has no single canonical JSON form; the message says which and why."""


def canonical_text(text: str) -> str:
    """Return `text` in lower case with every run of whitespace as one space, none at the ends.

    TeX and non-ASCII characters stay as they are (spec, section 1).
    """
    text = text.lower()
    # Printable text has no whitespace but spaces, and arXiv's mostly single ones: half the time.
    if "  " not in text and text.isprintable():
        return text.strip()
    return " ".join(text.split())


def canonical_json(value: object) -> bytes:
    """Return the canonical JSON of `value` in UTF-8: sorted keys, no spaces, no ASCII escaping.

    The whole value is checked. Raises `CanonicalError` for whatever RFC 8785 and this form could
    write differently: a float, an integer beyond 2^53, a key that is not an ASCII string, a lone
    surrogate; and for a value that is not JSON or is nested deeper than `MAX_DEPTH`.
    """
    refuse_ambiguous(value)
    return canonical_json_unchecked(value)


def canonical_json_unchecked(value: object) -> bytes:
    """Return what `canonical_json` does for a value that was checked before, ten times faster.

    For values of our own typed code, or of a document that `canonical_json_of_strict_json` took. A
    lone surrogate or too deep a nesting still raises `CanonicalError`; a float does not.
    """
    return _write(value, orjson.OPT_SORT_KEYS)


def canonical_json_of_strict_json(document: object) -> bytes:
    """Return the canonical JSON of what `strict_json.read_json` returned, or of a part of it.

    What that reader leaves open is checked: raises `CanonicalError` for a non-ASCII key, a lone
    surrogate, too deep a nesting. Writing it shows the last two, and a document of ASCII characters
    only has no key of others.
    """
    data = canonical_json_unchecked(document)
    if not data.isascii():
        refuse_ambiguous(document)
    return data


def compact_json_unchecked(value: object) -> bytes:
    """Return JSON in UTF-8 with the keys in the order in which they stand: a bundle file's form.

    For the same values as `canonical_json_unchecked`, and with the same errors.
    """
    return _write(value, 0)


def text_sha256(text: str) -> Digest:
    """Return the SHA-256 of the canonical form of `text`.

    Raises `CanonicalError` when the text holds a lone surrogate.
    """
    if not text.isascii():
        return sha256(_utf8(canonical_text(text)))
    # The same in half the time: lower case, and all whitespace that ASCII has as spaces.
    data = text.encode().translate(_LOWER_AND_SPACES).strip()
    return sha256(b" ".join(data.split()) if b"  " in data else data)


def refuse_ambiguous(value: object, depth: int = 0) -> None:
    """Raise `CanonicalError` for a value without canonical JSON, but not for a lone surrogate.

    `depth` is how many objects and lists the value lies in. Any nesting is walked without
    recursion.
    """
    pending: list[tuple[object, int]] = [(value, depth)]
    while pending:
        item, depth = pending.pop()
        kind = type(item)
        if kind is str or kind is bool or item is None:
            continue
        if kind is int:
            if abs(item) > MAX_INTEGER:  # type: ignore[arg-type]  # exact int, by `kind`
                raise CanonicalError("integer beyond 2^53")
            continue
        if depth >= MAX_DEPTH:
            raise CanonicalError(f"nested deeper than {MAX_DEPTH} levels")
        if isinstance(item, dict) and kind is dict:
            for key in item:
                if type(key) is not str or not key.isascii():
                    raise CanonicalError(f"key {key!r:.80} is not an ASCII string")
            pending.extend((child, depth + 1) for child in item.values())
        elif isinstance(item, list) and kind is list:
            pending.extend((child, depth + 1) for child in item)
        else:
            raise CanonicalError(f"a {kind.__name__} has no canonical JSON form")


def _write(value: object, option: int) -> bytes:
    try:
        return orjson.dumps(value, option=option)
    except orjson.JSONEncodeError as error:
        refuse_ambiguous(value)
        _utf8(json.dumps(value, ensure_ascii=False))
        raise CanonicalError(str(error)) from None


def _utf8(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise CanonicalError(
            f"lone surrogate U+{ord(text[error.start]):04X}: not a character"
        ) from None
