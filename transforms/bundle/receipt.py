"""The signed receipt of a canonical record (spec, section 3)."""

from datetime import datetime

from transforms.documents.record import Receipt
from transforms.encoding.digest import Digest, to_hex
from transforms.encoding.timestamps import to_micros
from transforms.signing import Issuer, encode_base64

RECEIPT_VERSION = "0.3"


def build_receipt(
    digest: Digest,
    *,
    issuer: Issuer,
    first_computed_at: datetime,
    last_reissued_at: datetime,
    signed_at: datetime,
) -> Receipt:
    """Return the receipt of a canonical record's SHA-256, whose 32 raw bytes are signed.

    `last_reissued_at` equals `first_computed_at` until the receipt is issued again.
    """
    return {
        "kind": "pith_receipt",
        "key_id": issuer.identity.key_id,
        "algorithm": "ed25519",
        "signed_at": to_micros(signed_at),
        "signature_b64": encode_base64(issuer.signer.sign(digest)),
        "signed_message": "canonical_sha256_bytes",
        "builder_version": issuer.identity.builder_version,
        "receipt_version": RECEIPT_VERSION,
        "canonical_sha256": to_hex(digest),
        "last_reissued_at": to_micros(last_reissued_at),
        "signature_status": "signed_v1",
        "first_computed_at": to_micros(first_computed_at),
        "public_key_fingerprint": issuer.fingerprint,
    }
