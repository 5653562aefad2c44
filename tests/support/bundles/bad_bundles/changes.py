"""Changes that make a good bundle a bad one, or another good one, and where its parts lie."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

from support.bundles.forging import (
    AT,
    GOOD,
    Bundle,
    Change,
    key_of,
    sign_bundle,
    sign_event,
)
from support.bundles.signed_events import OTHER, STRANGER, signed

RECEIPT = ("events", 0, "payload", "receipt")
PAPER = ("events", 1, "payload", "graph_snapshot", "paper")
SIGNATURE = "bundle_signature"
SUFFIX = GOOD["pith_number"][10:]
HASH = "0" * 64
TRUE = bool(1)
GOOD_PAPER = GOOD["events"][1]["payload"]["graph_snapshot"]["paper"]
EXCERPT = GOOD_PAPER["abstract_excerpt"]
EARLY = "2020-01-01T00:00:00.000000Z"
RECORD = ("canonical_record",)
SOURCE = (*RECORD, "source")
METADATA = (*RECORD, "metadata")
CREATED = ("events", 0)
SNAPSHOT = ("events", 1, "payload", "graph_snapshot")
EMPTY = {"count": 0, "items": []}
FUTURE = "2999-01-01T00:00:00"
OTHER_SUFFIX = "A" * 26


def second_time(bundle: Bundle) -> None:
    """Issue the receipt again with another first_computed_at."""
    first = bundle["events"][0]
    payload = deepcopy(first["payload"])
    payload["receipt"]["first_computed_at"] = "2026-11-20T00:00:00.000000Z"
    bundle["events"].append(
        signed("record_created", payload, at=AT, after=first, number=bundle["pith_number"])
    )


def two_titles(bundle: Bundle) -> None:
    payload = deepcopy(bundle["events"][1]["payload"])
    payload["graph_snapshot"]["paper"]["title"] = "Something else"
    old = bundle["events"][1]
    bundle["events"].append(
        signed("graph_snapshot", payload, at=AT, after=old, number=bundle["pith_number"])
    )


def event_by_unlisted_key(bundle: Bundle) -> None:
    sign_event(bundle["events"][1], by=STRANGER)


def one_more(event_type: str, **changed: Any) -> Change:
    """Add an event of a foreign type, changed before it is signed."""

    def change(bundle: Bundle) -> None:
        event = signed(event_type, {"n": 2**53}, at=AT, number=bundle["pith_number"])
        event |= changed
        sign_event(event)
        bundle["events"].append(event)

    return change


def later_snapshot(**shown: Any) -> Change:
    def change(bundle: Bundle) -> None:
        old = bundle["events"][1]
        payload = deepcopy(old["payload"])
        payload["graph_snapshot"]["paper"] |= shown
        event = signed("graph_snapshot", payload, at=AT, after=old, number=bundle["pith_number"])
        bundle["events"].append(event)

    return change


def list_other(bundle: Bundle) -> None:
    bundle["public_keys"].append(key_of(OTHER))


def signed_again_by_other(bundle: Bundle) -> None:
    """Sign an event again by another listed key: its signer says that it is not."""
    list_other(bundle)
    sign_event(bundle["events"][1], by=OTHER)


def twice_with(**changed: Any) -> Change:
    """List the key a second time, with something changed."""
    return lambda bundle: bundle["public_keys"].append({**bundle["public_keys"][0], **changed})


def rename_key(bundle: Bundle) -> None:
    """List the key under a second id too, and let what no signature covers name that."""
    twice_with(key_id="second")(bundle)
    sign_bundle(bundle)
    bundle["bundle_signature"]["key_id"] = "second"


def elsewhere(base_url: str) -> Change:
    """Let all links and mirrors lead to another base."""

    def change(bundle: Bundle) -> None:
        old = bundle["mirror_hints"][0]["base_url"]
        for part in (bundle["links"], bundle["mirror_hints"][0]):
            part |= {name: text.replace(old, base_url) for name, text in part.items()}

    return change


def late_event(bundle: Bundle) -> None:
    """Sign an event a microsecond after the whole."""
    sign_event(bundle["events"][1], at=AT + timedelta(microseconds=1))


def mirror_elsewhere(bundle: Bundle) -> None:
    hint = deepcopy(bundle["mirror_hints"][0])
    other = {name: text.replace("issuer", "mirror") for name, text in hint.items()}
    bundle["mirror_hints"].append({**other, "status": "secondary"})


def two_signatures(bundle: Bundle) -> None:
    """Hold one event twice, signed at two times."""
    event = deepcopy(bundle["events"][1])
    event["signature"]["signed_at"] = "2026-11-20T00:00:00.000000Z"
    bundle["events"].append(event)
