"""The five published bundles with the inputs, times and signatures that were recorded in them."""

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from support.paths import TESTS
from transforms import Identity, Issuer, IssueTimes, Paper, Version, make_paper
from transforms.encoding.timestamps import from_text
from transforms.signing import PUBLIC_KEY_BYTES, SIGNATURE_BYTES, decode_base64

FOLDER = TESTS / "golden"


class RecordedSigner:
    """Gives the signatures that were recorded for a message, and no other."""

    def __init__(self, public_key: bytes, signatures: dict[bytes, bytes]) -> None:
        self.public_key = public_key
        self.signatures = signatures

    def sign(self, message: bytes) -> bytes:
        return self.signatures[message]


@dataclass(frozen=True)
class Golden:
    """One published bundle and what it was made from."""

    metadata: dict[str, Any]
    data: bytes

    @property
    def id(self) -> str:
        return str(self.metadata["id"])

    @cached_property
    def bundle(self) -> Any:
        return json.loads(self.data)

    @cached_property
    def paper(self) -> Paper:
        return paper_of(self.metadata)

    @cached_property
    def issuer(self) -> Issuer:
        key = self.bundle["public_keys"][0]
        receipt = self.bundle["events"][0]["payload"]["receipt"]
        identity = Identity(
            signer_id="pith.science",
            base_url="https://pith.science",
            resolver_name="Pith Resolver",
            key_id=key["key_id"],
            key_url=key["url"],
            key_notes=key["notes"],
            builder_version=receipt["builder_version"],
        )
        public_key = decode_base64(key["public_key_b64"], PUBLIC_KEY_BYTES)
        return Issuer(identity, RecordedSigner(public_key, self._signatures()))

    @cached_property
    def times(self) -> IssueTimes:
        record, snapshot = self.bundle["events"]
        receipt, aliases = record["payload"]["receipt"], self.bundle["source_aliases"]
        return IssueTimes(
            computed_at=from_text(receipt["first_computed_at"]),
            receipt_signed_at=from_text(receipt["signed_at"]),
            aliased_at=from_text(aliases[0]["created_at"]),
            shortened_at=from_text(aliases[3]["created_at"]),
            record_signed_at=from_text(record["signature"]["signed_at"]),
            snapshot_signed_at=from_text(snapshot["signature"]["signed_at"]),
            built_at=from_text(self.bundle["bundle_signature"]["signed_at"]),
        )

    def _signatures(self) -> dict[bytes, bytes]:
        whole = self.bundle["bundle_signature"]
        receipt = self.bundle["events"][0]["payload"]["receipt"]
        signed = [
            (self.bundle["canonical_sha256"], receipt),
            *((event["content_sha256"], event["signature"]) for event in self.bundle["events"]),
            (whole["bundle_sha256"], whole),
        ]
        return {
            bytes.fromhex(digest): decode_base64(signature["signature_b64"], SIGNATURE_BYTES)
            for digest, signature in signed
        }


def paper_of(metadata: dict[str, Any]) -> Paper:
    """Make the paper of a line of `papers.jsonl`, which tells only the first version's date."""
    submitted = from_text(metadata["submitted_at"])
    return make_paper(
        arxiv_id=metadata["id"],
        versions=[Version(number + 1, submitted) for number in range(metadata["version"])],
        title=metadata["title"],
        abstract=metadata["abstract"],
        authors=", ".join(metadata.get("authors", ["Nobody"])),
        categories=" ".join(metadata["categories"]),
        license_url=metadata["license"],
    )


GOLDEN = [
    Golden(metadata, (FOLDER / f"{metadata['id']}.bundle.json").read_bytes())
    for metadata in map(json.loads, (FOLDER / "papers.jsonl").read_text().splitlines())
]
