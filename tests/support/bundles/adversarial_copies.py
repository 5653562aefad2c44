"""Valid copies of one record's bundle, some made by strangers who put their words wherever none of
our signatures looks. Every such word is one of `WORDS`, so that a test can look for them.
"""

import json
from copy import deepcopy
from datetime import timedelta
from random import Random
from typing import Any

from nacl import bindings

from support.bundles.forging import (
    AT,
    GOOD,
    PAPER,
    Bundle,
    key_of,
    merge_again,
    sign_bundle,
    sign_event,
)
from support.bundles.signed_events import ISSUER, OTHER, STRANGER, signed
from transforms import Issuer, bundle_bytes
from transforms.bundle.build import draft
from transforms.bundle.events import content_digest
from transforms.bundle.later_events import append_snapshot, reissue
from transforms.encoding.digest import sha256
from transforms.encoding.timestamps import to_micros, to_seconds
from transforms.signing import encode_base64

WORDS = ("evil", "777777Z", "T07:07:07")
"""What strangers write: into notes, addresses and ids, as fractions and as times of day."""

_SEVENS = AT.replace(hour=7, minute=7, second=7, microsecond=777777)
LATER = AT + timedelta(hours=12)


def copies(seed: int) -> list[Bundle]:
    """Return two to four valid copies, at least one of them by a stranger."""
    choose = Random(seed)
    made = [_by_stranger(choose) for _ in range(choose.randint(1, 3))]
    made += [_own(choose) for _ in range(choose.randint(1, 4 - len(made)))]
    choose.shuffle(made)
    return made


def sign_otherwise(seed: bytes, message: bytes, nonce: int) -> bytes:
    """Return another valid Ed25519 signature: whoever has the key can make any number of them."""
    key, _ = bindings.crypto_sign_seed_keypair(seed)
    scalar = bindings.crypto_sign_ed25519_sk_to_curve25519(seed + key)
    random = bindings.crypto_core_ed25519_scalar_reduce(sha256(b"%d" % nonce) * 2)
    point = bindings.crypto_scalarmult_ed25519_base_noclamp(random)
    hashed = bindings.crypto_hash_sha512(point + key + message)
    product = bindings.crypto_core_ed25519_scalar_mul(
        bindings.crypto_core_ed25519_scalar_reduce(hashed),
        bindings.crypto_core_ed25519_scalar_reduce(scalar.ljust(64, b"\0")),
    )
    return bytes(point + bindings.crypto_core_ed25519_scalar_add(random, product))


def _own(choose: Random) -> Bundle:
    """Return a copy that we signed, perhaps with a later snapshot, receipt or other times."""
    bundle = deepcopy(GOOD)
    if choose.random() < 0.5:
        drafted = draft(PAPER)
        moment = AT + timedelta(minutes=choose.randrange(3))
        bundle = append_snapshot(bundle, drafted, issuer=ISSUER, moment=moment)
    if choose.random() < 0.3:
        bundle = reissue(bundle, issuer=ISSUER, moment=AT + timedelta(minutes=5))
    if choose.random() < 0.5:
        given_at = to_seconds(AT + timedelta(seconds=choose.randrange(3)))
        for alias in bundle["source_aliases"][3:]:
            alias["created_at"] = given_at
    if choose.random() < 0.3:
        _foreign(bundle, choose, ISSUER)
    return _finished(bundle, ISSUER)


def _by_stranger(choose: Random) -> Bundle:
    bundle = _own(choose)
    who = choose.choice([OTHER, STRANGER])
    bundle["public_keys"].append(_evil_key(who, who.identity.key_id))
    for _ in range(choose.randint(1, 4)):
        choose.choice(_TRICKS)(bundle, choose, who)
    _words(bundle, choose)
    choose.shuffle(bundle["events"])
    return _finished(_reversed(bundle) if choose.random() < 0.5 else bundle, who)


def _finished(bundle: Bundle, who: Issuer) -> Bundle:
    merge_again(bundle)
    bundle["built_at"] = to_seconds(LATER)
    sign_bundle(bundle, by=who, at=LATER)
    # As read from a file: in what was made here, some parts are the same object.
    read: Bundle = json.loads(bundle_bytes(bundle))
    return read


def _words(bundle: Bundle, choose: Random) -> None:
    """Say something wherever an event's id and signature do not cover it."""
    for event in bundle["events"]:
        if choose.random() < 0.7:
            event["signature"]["signed_at"] = to_micros(_SEVENS)
    for alias in bundle["source_aliases"]:
        alias["created_at"] = to_seconds(_SEVENS)
    for key in bundle["public_keys"]:
        key |= {"url": "https://evil.example/", "notes": "evil"}
    bundle["timestamp_proofs"] = [{"kind": "evil"}] * choose.randrange(2)
    bundle["mirror_hints"] = []


def _evil_key(who: Issuer, key_id: str) -> dict[str, Any]:
    return {**key_of(who), "key_id": key_id, "notes": "evil"}


def _foreign(bundle: Bundle, choose: Random, who: Issuer) -> None:
    """Add an event whose signer does not say which key is its own."""
    event = signed(
        "blessing", {"n": choose.randrange(2)}, at=AT, number=bundle["pith_number"], by=who
    )
    bundle["events"].append(event)


def _renamed(bundle: Bundle, choose: Random, who: Issuer) -> None:
    """List a key under a name of one's own, and let a signature name that."""
    _foreign(bundle, choose, choose.choice([ISSUER, who]))
    event = bundle["events"][-1]
    owner = who if event["signature"]["key_id"] == who.identity.key_id else ISSUER
    bundle["public_keys"].append(_evil_key(owner, "evil-key"))
    event["signature"]["key_id"] = "evil-key"


def _signed_again(bundle: Bundle, choose: Random, who: Issuer) -> None:
    """Take an event of ours and sign it too."""
    _foreign(bundle, choose, ISSUER)
    digest = content_digest(bundle["events"][-1])
    sign_event(bundle["events"][-1], by=who)
    assert bundle["events"][-1]["content_sha256"] == digest.hex()


def _another_signature(bundle: Bundle, choose: Random, who: Issuer) -> None:
    _foreign(bundle, choose, who)
    event = bundle["events"][-1]
    seed = who.identity.signer_id.removesuffix(".example").encode().ljust(32, b".")
    signature = sign_otherwise(seed, content_digest(event), choose.randrange(3))
    event["signature"]["signature_b64"] = encode_base64(signature)


def _in_our_name(bundle: Bundle, choose: Random, who: Issuer) -> None:
    """Add a snapshot with another key under our name, in the place of ours."""
    old = next(e for e in bundle["events"] if e["event_type"] == "graph_snapshot")
    payload = deepcopy(old["payload"])
    payload["graph_snapshot"]["paper"]["authors_text"] = f"Author {choose.randrange(2)}"
    event = signed(
        "graph_snapshot", payload, at=AT, after=old, by=who, number=bundle["pith_number"]
    )
    event["signer"]["signer_id"] = ISSUER.identity.signer_id
    sign_event(event, by=who)
    bundle["events"].append(event)


def _own_receipt(bundle: Bundle, choose: Random, who: Issuer) -> None:
    """Add a receipt of a stranger, now and then with another first time."""
    first = next(e for e in bundle["events"] if e["event_type"] == "record_created")
    payload = deepcopy(first["payload"])
    digest = bytes.fromhex(bundle["canonical_sha256"])
    payload["receipt"] |= {
        "key_id": who.identity.key_id,
        "public_key_fingerprint": who.fingerprint,
        "signature_b64": encode_base64(who.signer.sign(digest)),
    }
    if choose.random() < 0.2:
        # A valid bundle has one such time, so this copy has no other receipt.
        bundle["events"] = [e for e in bundle["events"] if e["event_type"] != "record_created"]
        payload["receipt"]["first_computed_at"] = to_micros(AT - timedelta(seconds=9))
    event = signed("record_created", payload, at=AT, by=who, number=bundle["pith_number"])
    bundle["events"].append(event)


def _twice(bundle: Bundle, choose: Random, _who: Issuer) -> None:
    bundle["events"].append(deepcopy(choose.choice(bundle["events"])))


_TRICKS = (
    _foreign, _renamed, _signed_again, _another_signature, _in_our_name, _own_receipt, _twice,
)  # fmt: skip


def _reversed(value: Any) -> Any:
    """Return a document with the keys of all objects in the other order, which no hash covers."""
    if isinstance(value, dict):
        return {name: _reversed(value[name]) for name in reversed(value)}
    return [_reversed(item) for item in value] if isinstance(value, list) else value
