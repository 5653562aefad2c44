"""The names with which a record is asked for at a registry."""

import re

from transforms.paper.reference import Reference, parse_reference

# Where a name is all that can stand, one in small letters is no word.
_BARE_SUFFIX = re.compile(r"[a-z2-7]{8,26}", re.ASCII | re.IGNORECASE)


def parse_name(text: str) -> Reference:
    """Return what a name in an address means, or raise `BadReferenceError`.

    That is all that commands take (`parse_reference`), and a suffix or a short form of it (8, 12,
    16 characters, or any number from 8) in small letters too.
    """
    return parse_reference(f"pith:{text}" if _BARE_SUFFIX.fullmatch(text) else text)
