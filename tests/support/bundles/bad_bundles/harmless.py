"""Changed bundles by name that are as good as the first."""

from support.bundles.bad_bundles.changes import (
    EXCERPT,
    PAPER,
    mirror_elsewhere,
    one_more,
    twice_with,
    two_signatures,
)
from support.bundles.forging import (
    AT,
    GOOD,
    Bundle,
    key_of,
    merged,
    put,
    resigned,
    with_events,
)
from support.bundles.signed_events import OTHER, signed

HARMLESS: dict[str, Bundle] = {
    "nothing changed": GOOD,
    "signed again": resigned(lambda _: None),
    "events in another order": merged(lambda b: b["events"].reverse()),
    "an event twice": merged(lambda b: b["events"].append(b["events"][0])),
    "a key listed and not used": resigned(lambda b: b["public_keys"].append(key_of(OTHER))),
    "a thousand keys": resigned(lambda b: b["public_keys"].extend([key_of(OTHER)] * 1000)),
    "another mirror": resigned(put("mirror_hints", [])),
    "an unknown event": merged(
        lambda b: b["events"].append(
            signed("blessing", {"n": 2**53}, at=AT, number=b["pith_number"])
        )
    ),
    "a foreign event of another schema": merged(
        one_more("pith.integrity.v1", schema_version="9.9", target="universe", extra={"x": [1]})
    ),
    "a foreign event whose signer says more": merged(
        one_more("blessing", signer={"signer_id": "", "orcid": None, "key_id": "issuer-key"})
    ),
    "a second mirror": resigned(mirror_elsewhere),
    "a key under two ids, the first of them named": resigned(twice_with(key_id="second")),
    "a key without a page": resigned(put("public_keys", 0, "url", None)),
    "an event with two signatures": merged(two_signatures),
    "paragraphs": with_events(put(*PAPER, "abstract_excerpt", EXCERPT.replace(" ", "\n", 3))),
}
