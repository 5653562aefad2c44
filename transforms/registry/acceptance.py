"""Whether a mirror keeps what another registry serves: only what nobody could have made up.

It has to be valid, of the number that was asked for, signed by the registry's key, and it must not
lack a word that was kept before.
"""

from collections.abc import Collection

from transforms.documents.bundle import Bundle
from transforms.encoding.strict_json import read_json
from transforms.signing import fingerprint
from transforms.verify.verify import verify_bundle


class RefusedError(ValueError):
    """A bundle that is not kept; the message says why."""


def accepted(data: bytes, *, suffix: str | None, keys: Collection[bytes]) -> Bundle:
    """Return the bundle in `data`, or raise `RefusedError`.

    `suffix` is the one that was asked for, None where the bundle may be of any; `keys` are the raw
    public keys of the registry.
    """
    report = verify_bundle(data, keys)
    if report.unreadable:
        raise RefusedError(f"unreadable: {report.unreadable}")
    if failure := report.failure:
        raise RefusedError(f"not valid: {failure.name}: {failure.detail}")
    bundle: Bundle = read_json(data)
    number = bundle["pith_number"]
    if suffix is not None and not number.endswith(f":{suffix}"):
        raise RefusedError(f"foreign: it is the bundle of {number}")
    if not report.trusted:
        strangers = ", ".join(sorted(fingerprint(key) for key in report.signers - set(keys)))
        raise RefusedError(f"foreign: signed by {strangers}, which is no key of this registry")
    return bundle


def check_grows(bundle: Bundle, kept: Bundle) -> None:
    """Raise `RefusedError` for a bundle that lacks what the kept one of its number has."""
    now, before = _event_ids(bundle), _event_ids(kept)
    if lost := before - now:
        age = "older" if now < before else "contradicts"
        raise RefusedError(
            f"{age}: it lacks {len(lost)} of {len(before)} events that are kept already"
        )
    signed, then = (one["bundle_signature"]["signed_at"] for one in (bundle, kept))
    if signed < then:
        raise RefusedError(f"older: signed at {signed}, and what is kept at {then}")


def _event_ids(bundle: Bundle) -> set[str]:
    return {event["event_id"] for event in bundle["events"]}
