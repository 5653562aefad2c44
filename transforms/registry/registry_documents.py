"""The documents of the registry itself: the mirror manifest, and the key."""

from datetime import datetime
from typing import Literal, TypedDict

from transforms.bundle.state import MERGE_VERSION
from transforms.documents.bundle import Bundle
from transforms.documents.record import PublicKey
from transforms.encoding.timestamps import to_seconds
from transforms.registry.addresses import record_addresses

NOTES = (
    "Every bundle verifies by itself: a mirror can serve it from anywhere, and whoever reads it "
    "recomputes the same state."
)


class Mirror(TypedDict):
    """A registry that serves the records; in its patterns `{suffix}` stands for a suffix."""

    name: str
    mirror_type: Literal["https"]
    base_url: str
    bundle_pattern: str
    state_pattern: str
    well_known_pattern: str
    public_key: PublicKey
    status: Literal["primary"]


class ChangeDocument(TypedDict):
    """The records whose newest bundle one entry of the ledger has, by suffix, for mirrors (ours).

    `folder` is the data folder's id, `last` the ledger's last entry. A record is in one entry only,
    and moves to a later one when it changes.
    """

    folder: str
    number: int
    last: int
    suffixes: list[str]


class MirrorManifest(TypedDict):
    """The registries that serve the records, of which we know our own."""

    manifest_type: Literal["pith_mirror_manifest"]
    manifest_version: str
    generated_at: str
    merge_version: str
    mirrors: list[Mirror]
    notes: str


def key_document(bundle: Bundle) -> PublicKey:
    """Return the key that signed a bundle, as its `public_keys` has it."""
    return bundle["public_keys"][0]


def mirror_manifest(
    name: str, *, base_url: str, public_key: PublicKey, generated_at: datetime
) -> MirrorManifest:
    """Return the manifest of the registry that is called `name`, with its newest key."""
    pattern = record_addresses(base_url, "{suffix}")
    return {
        "manifest_type": "pith_mirror_manifest",
        "manifest_version": "1.0",
        "generated_at": to_seconds(generated_at),
        "merge_version": MERGE_VERSION,
        "mirrors": [
            {
                "name": name,
                "mirror_type": "https",
                "base_url": base_url,
                "bundle_pattern": pattern.bundle,
                "state_pattern": pattern.state,
                "well_known_pattern": pattern.well_known_bundle,
                "public_key": public_key,
                "status": "primary",
            }
        ],
        "notes": NOTES,
    }
