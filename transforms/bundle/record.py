"""The canonical record, its Pith Number and its aliases (spec, section 2)."""

from datetime import datetime
from typing import NamedTuple

from transforms.documents.record import Alias, Record
from transforms.encoding.canonical import canonical_json_unchecked, text_sha256
from transforms.encoding.digest import BASE32_LENGTH, Digest, base32_prefix, sha256, to_hex
from transforms.encoding.timestamps import to_seconds
from transforms.paper.paper import Paper

SCHEMA_VERSION = "1.0"
SUFFIX_LENGTH = BASE32_LENGTH


class PithId(NamedTuple):
    """The SHA-256 of a canonical record and the names derived from it.

    `suffix` is the first 26 characters (130 bits) of the digest's base32 (RFC 4648).
    """

    digest: Digest
    suffix: str
    number: str
    """The Pith Number, `pith:<year of submission>:<suffix>`."""

    @property
    def short_number(self) -> str:
        """`pith:` and the first 8 characters of the suffix."""
        return f"pith:{self.suffix[:8]}"


def canonical_record(paper: Paper) -> Record:
    """Return the canonical record of `paper`, its keys in the published order."""
    primary, *cross_lists = paper.categories
    return {
        "source": {"id": paper.id, "kind": "arxiv", "version": paper.version},
        "metadata": {
            "license": paper.license,
            "primary_cat": primary,
            "submitted_at": to_seconds(paper.submitted_at),
            "cross_cats_sorted": sorted(cross_lists),
            "title_canon_sha256": to_hex(text_sha256(paper.title)),
            "abstract_canon_sha256": to_hex(text_sha256(paper.abstract)),
        },
        "schema_version": SCHEMA_VERSION,
    }


def identify(record: Record) -> PithId:
    """Return the names of a canonical record, made here or checked to have canonical JSON."""
    return identify_json(canonical_json_unchecked(record), record["metadata"]["submitted_at"][:4])


def identify_json(canonical: bytes, year: str) -> PithId:
    """Return the names of a record by its canonical JSON; `year` of submission has four digits."""
    digest = sha256(canonical)
    suffix = base32_prefix(digest)
    return PithId(digest, suffix, f"pith:{year}:{suffix}")


def pith_number(record: Record) -> str:
    """Return the Pith Number of a canonical record, such as `pith:2019:JUV2VY6FK23SMEDN…`."""
    return identify(record).number


def source_aliases(
    record: Record, pith_id: PithId, *, aliased_at: datetime, shortened_at: datetime
) -> list[Alias]:
    """Return the six aliases in the published order; the short ones have a time of their own."""
    named, shortened = to_seconds(aliased_at), to_seconds(shortened_at)
    return [
        {
            "alias_kind": kind,
            "alias_value": value,
            "created_at": shortened if kind.startswith("pith_short") else named,
        }
        for kind, value in alias_values(record, pith_id)
    ]


def alias_values(record: Record, pith_id: PithId) -> list[tuple[str, str]]:
    """Return kind and value of the six aliases in the published order."""
    arxiv_id, version = record["source"]["id"], record["source"]["version"]
    suffix = pith_id.suffix
    return [
        ("arxiv", arxiv_id),
        ("arxiv_version", f"{arxiv_id}v{version}"),
        ("doi", f"10.48550/arxiv.{arxiv_id}"),
        ("pith_short_12", suffix[:12]),
        ("pith_short_16", suffix[:16]),
        ("pith_short_8", suffix[:8]),
    ]
