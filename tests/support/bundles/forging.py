"""A forger who holds the keys: changes a good bundle and signs again whatever he likes."""

import json
from collections.abc import Callable
from copy import deepcopy
from datetime import datetime
from typing import Any

from support.bundles.signed_events import ISSUER
from support.papers.golden_data import GOLDEN
from transforms import Issuer, IssueTimes, build_bundle, bundle_bytes, canonical_json, merge
from transforms.bundle.build import SIGNED_MESSAGE, bundle_digest, links, mirror_hint
from transforms.bundle.events import SIGNED_MESSAGE as EVENT_MESSAGE
from transforms.bundle.events import content_digest
from transforms.bundle.record import alias_values, identify
from transforms.documents.record import PublicKey
from transforms.encoding.digest import sha256
from transforms.encoding.timestamps import from_text
from transforms.signing import encode_base64, public_key_document, signature_block

Bundle = Any
"""A bundle that tests change as they like, so of no type."""

Change = Callable[[Bundle], object]

AT = from_text("2026-11-21T00:00:00.123456Z")
# A paper whose excerpt is its whole abstract, so that every check has something to check.
PAPER = next(golden.paper for golden in GOLDEN if len(golden.metadata["abstract"]) <= 600)
# As read from its file: in what `build_bundle` returns, some parts are the same object.
GOOD: Bundle = json.loads(bundle_bytes(build_bundle(PAPER, issuer=ISSUER, times=IssueTimes.at(AT))))


def key_of(who: Issuer) -> PublicKey:
    return public_key_document(who.signer.public_key, who.identity)


def sign_event(event: Bundle, *, by: Issuer = ISSUER, at: datetime = AT) -> None:
    digest = content_digest(event)
    event["signature"] = signature_block(digest, EVENT_MESSAGE, issuer=by, signed_at=at)
    event["content_sha256"], event["event_id"] = digest.hex(), f"sha256:{digest.hex()}"


def sign_receipt(bundle: Bundle, *, by: Issuer = ISSUER) -> None:
    receipt = bundle["events"][0]["payload"]["receipt"]
    digest = bytes.fromhex(bundle["canonical_sha256"])
    receipt["signature_b64"] = encode_base64(by.signer.sign(digest))


def merge_again(bundle: Bundle) -> None:
    bundle["state"] = merge(
        bundle["events"],
        number=bundle["pith_number"],
        public_keys=bundle["public_keys"],
        source_aliases=bundle["source_aliases"],
    )


def sign_bundle(bundle: Bundle, *, by: Issuer = ISSUER, at: datetime = AT) -> None:
    digest = bundle_digest(bundle)
    block = signature_block(digest, SIGNED_MESSAGE, issuer=by, signed_at=at)
    bundle["bundle_signature"] = {**block, "bundle_sha256": digest.hex()}


def restate(bundle: Bundle) -> None:
    """Derive from the record whatever else says the same, so that no part contradicts it."""
    record = bundle["canonical_record"]
    pith_id, source, metadata = identify(record), record["source"], record["metadata"]
    bundle["canonical_sha256"] = pith_id.digest.hex()
    bundle["pith_number"], bundle["short_pith_number"] = pith_id.number, pith_id.short_number
    bundle["source"] = deepcopy(source)
    aliases = zip(bundle["source_aliases"], alias_values(record, pith_id), strict=True)
    for alias, (_, value) in aliases:
        alias["alias_value"] = value
    (hint,) = bundle["mirror_hints"]
    bundle["links"] = urls = links(hint["base_url"], pith_id.suffix)
    bundle["mirror_hints"] = [mirror_hint(hint["name"], hint["base_url"], urls)]
    for event in bundle["events"]:
        payload, event["subject_pith_number"] = event["payload"], pith_id.number
        if event["event_type"] == "record_created":
            payload["canonical_record"] = deepcopy(record)
            payload["canonical_sha256"] = payload["receipt"]["canonical_sha256"] = (
                pith_id.digest.hex()
            )
            payload |= {f"source_{name}": source[name] for name in ("kind", "id", "version")}
        elif event["event_type"] == "graph_snapshot":
            paper = payload["graph_snapshot"]["paper"]
            payload["graph_snapshot"]["source"] = deepcopy(source)
            paper |= {name: metadata[name] for name in ("license", "primary_cat", "submitted_at")}
            paper["cross_cats"] = deepcopy(metadata["cross_cats_sorted"])
    sign_receipt(bundle)


def resigned(change: Change) -> Bundle:
    """Change a good bundle, then sign it again as a whole: whoever holds the key could."""
    bundle = deepcopy(GOOD)
    change(bundle)
    sign_bundle(bundle)
    return bundle


def with_events(change: Change) -> Bundle:
    """Change it, then sign and merge its events again too."""

    def also(bundle: Bundle) -> None:
        change(bundle)
        for event in bundle["events"]:
            sign_event(event)
        merge_again(bundle)

    return resigned(also)


def restated(change: Change) -> Bundle:
    """Change the record, derive all from it that says the same, and sign everything again."""

    def also(bundle: Bundle) -> None:
        change(bundle)
        restate(bundle)

    return with_events(also)


def merged(change: Change) -> Bundle:
    """Change it, then merge its events again, signatures as they are."""

    def also(bundle: Bundle) -> None:
        change(bundle)
        merge_again(bundle)

    return resigned(also)


def unsigned(change: Change) -> Bundle:
    bundle = deepcopy(GOOD)
    change(bundle)
    return bundle


def put(*path: Any) -> Change:
    """Set the value at `path[:-1]` to `path[-1]`."""
    *way, last, new = path

    def change(bundle: Any) -> None:
        for step in way:
            bundle = bundle[step]
        bundle[last] = new

    return change


def drop(*path: Any) -> Change:
    *way, last = path

    def change(bundle: Any) -> None:
        for step in way:
            bundle = bundle[step]
        del bundle[last]

    return change


def drop_state_event(bundle: Bundle) -> None:
    state = bundle["state"]
    state["applied_event_ids"].pop()
    del state["state_sha256"]
    state["state_sha256"] = sha256(canonical_json(state)).hex()
