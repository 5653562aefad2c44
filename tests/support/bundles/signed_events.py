"""Signed events of any type, made with keys that belong to nobody."""

from datetime import datetime
from typing import Any

from transforms import Ed25519Signer, Identity, Issuer
from transforms.bundle.events import SIGNED_MESSAGE, content_digest
from transforms.encoding.timestamps import to_seconds
from transforms.signing import public_key_document, signature_block

NUMBER = "pith:2019:JUV2VY6FK23SMEDNHMW23VESQV"
TARGETS = {"record_created": "record", "graph_snapshot": "graph"}


def issuer(name: str) -> Issuer:
    identity = Identity(
        signer_id=f"{name}.example",
        base_url=f"https://{name}.example",
        resolver_name=f"{name}'s resolver",
        key_id=f"{name}-key",
        key_url=f"https://{name}.example/key.json",
        key_notes="A key of the tests.",
        builder_version="tests",
    )
    return Issuer(identity, Ed25519Signer(name.encode().ljust(32, b".")))


ISSUER, OTHER, STRANGER = issuer("issuer"), issuer("other"), issuer("stranger")
KEYS = [public_key_document(who.signer.public_key, who.identity) for who in (ISSUER, OTHER)]


def _signer(event_type: str, by: Issuer) -> dict[str, str]:
    """Name the signer as the types of this format must; others may leave the key out."""
    signer = {"signer_id": by.identity.signer_id}
    if event_type not in TARGETS:
        return signer
    return {
        **signer,
        "signer_type": "pith_registry",
        "key_id": by.identity.key_id,
        "public_key_fingerprint": by.fingerprint,
    }


def signed(
    event_type: str,
    payload: Any,
    *,
    at: datetime,
    after: dict[str, Any] | None = None,
    by: Issuer = ISSUER,
    number: str = NUMBER,
) -> dict[str, Any]:
    """Return a valid event; `after` is the one that it supersedes."""
    body = {
        "event_type": event_type,
        "subject_pith_number": number,
        "target": TARGETS.get(event_type, "record"),
        "payload": payload,
        "signer": _signer(event_type, by),
        "created_at": to_seconds(at),
        "supersedes": [after["event_id"]] if after else [],
        "prev_event": after["event_id"] if after else None,
        "schema_version": "1.0",
    }
    digest = content_digest(body)
    return {
        **body,
        "signature": signature_block(digest, SIGNED_MESSAGE, issuer=by, signed_at=at),
        "content_sha256": digest.hex(),
        "event_id": f"sha256:{digest.hex()}",
    }
