"""The addresses of a registry's documents: of each record, and of the registry itself.

All are made below a base URL; below `""` they are the paths that a server answers.
"""

import re
from typing import Literal, NamedTuple

from transforms.bundle.build import links
from transforms.bundle.record import SUFFIX_LENGTH

MIRRORS = "/pith-mirrors.json"
SIGNING_KEY = "/pith-signing-key.json"
CHANGES = "/pith-changes"
"""The folder of what each entry of the ledger has, for those who mirror a served registry."""

SCHEMAS = "/schemas/1.0"
"""The folder of the JSON Schemas: their `$id`s end alike, below a host that nobody has."""

RecordPart = Literal["page", "record", "bundle", "state", "well_known_bundle"]
"""What is served of a record."""

_SUFFIX = re.compile(rf"[A-Z2-7]{{{SUFFIX_LENGTH}}}")
# A suffix, as nearly always, or the shortest name that fits: old arXiv ids and DOIs have a slash.
_RECORD_PATH = re.compile(
    r"""
    /\.well-known/pith/(?P<known>.+?)/bundle\.json
    | /pith/(?P<name>[A-Z2-7]{26}|.+?) (?P<tail> /bundle\.json | /state\.json | \.json |)
    """,
    re.VERBOSE | re.DOTALL,
)
_TAILS: dict[str, RecordPart] = {
    "": "page",
    ".json": "record",
    "/bundle.json": "bundle",
    "/state.json": "state",
}


class RecordAddresses(NamedTuple):
    """The addresses of all that is served of one record."""

    page: str
    record: str
    bundle: str
    state: str
    well_known_bundle: str


class AskedRecord(NamedTuple):
    """What a path asks for: the part of a record, and the name that the record has there."""

    part: RecordPart
    name: str


def record_addresses(base_url: str, suffix: str) -> RecordAddresses:
    """Return the addresses of a record; those of `links` in its bundle, and one more.

    With the suffix `{suffix}` they are the patterns of the mirror manifest.
    """
    named = links(base_url, suffix)
    return RecordAddresses(
        page=named["resolver"],
        record=f"{named['resolver']}.json",
        bundle=named["bundle"],
        state=named["state"],
        well_known_bundle=named["well_known_bundle"],
    )


def change_path(number: int) -> str:
    """Return the path of the records that one entry of the ledger has."""
    return f"{CHANGES}/{number}.json"


def schema_address(base_url: str, name: str) -> str:
    """Return the address of a JSON Schema, such as of `record`."""
    return f"{base_url}{SCHEMAS}/{name}.schema.json"


def asked_record(path: str) -> AskedRecord | None:
    """Return what a path, decoded, asks for of a record; None where it is of none."""
    match = _RECORD_PATH.fullmatch(path)
    if not match:
        return None
    if match["known"]:
        return AskedRecord("well_known_bundle", match["known"])
    return AskedRecord(_TAILS[match["tail"]], match["name"])


def is_suffix(text: str) -> bool:
    """Return whether a name is the canonical one in addresses: a whole suffix, in capitals."""
    return _SUFFIX.fullmatch(text) is not None
