"""What `verify` says of bad bundles, of harmless changes and of what nobody can check."""

import json
import time
from datetime import UTC, datetime

import pytest
from support.bundles.bad_bundles import BAD, BAD_PARTS, HARMLESS, SIGNATURE, UNCHECKED, list_other
from support.bundles.forging import GOOD, Bundle, key_of, merged, sign_event
from support.bundles.signed_events import ISSUER, OTHER, signed

from transforms import bundle_bytes
from transforms.verify.verify import BundleReport, Outcome, verify_bundle

PINNED = [ISSUER.signer.public_key]


def found(report: BundleReport, outcome: Outcome) -> list[str]:
    return [check.name for check in report.checks if check.outcome is outcome]


def test_there_are_at_least_sixty() -> None:
    assert len(BAD) >= 60


@pytest.mark.parametrize("name", BAD)
def test_a_bad_bundle_is_caught_by_its_check(name: str) -> None:
    bundle, check = BAD[name]
    report = verify_bundle(json.dumps(bundle).encode(), PINNED)
    assert report.failure
    assert report.failure.name == check
    assert report.failure.detail
    assert (report.valid, report.trusted) == (False, False)


@pytest.mark.parametrize("name", BAD_PARTS)
def test_no_other_check_catches_it(name: str) -> None:
    bundle, check = BAD_PARTS[name]
    failed = found(verify_bundle(json.dumps(bundle).encode(), PINNED), Outcome.FAIL)
    assert failed == [check]


@pytest.mark.parametrize("name", UNCHECKED)
def test_what_nobody_can_check_is_valid_and_said_to_be_unchecked(name: str) -> None:
    bundle, check = UNCHECKED[name]
    report = verify_bundle(bundle_bytes(bundle), PINNED)
    assert (report.failure, report.trusted) == (None, True)
    assert found(report, Outcome.UNCHECKED) == [check]


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_change_is_valid(name: str) -> None:
    report = verify_bundle(bundle_bytes(HARMLESS[name]), PINNED)
    assert (report.failure, report.trusted) == (None, True)
    assert all(check.outcome is Outcome.PASS for check in report.checks)


def test_a_second_key_must_be_trusted_too() -> None:
    def sign_with_other(bundle: Bundle) -> None:
        list_other(bundle)
        event = bundle["events"][1]
        named = {"key_id": OTHER.identity.key_id, "public_key_fingerprint": OTHER.fingerprint}
        event["signer"] |= named
        sign_event(event, by=OTHER)

    data = bundle_bytes(merged(sign_with_other))
    assert (verify_bundle(data, PINNED).valid, verify_bundle(data, PINNED).trusted) == (True, False)
    assert verify_bundle(data, [*PINNED, OTHER.signer.public_key]).trusted


def crowd(bundle: Bundle) -> None:
    """Add two thousand events: half equivocate, half supersede all that came before."""
    number, moment = bundle["pith_number"], datetime(2026, 11, 20, tzinfo=UTC)
    rivals = [signed("correction", {"n": n}, at=moment, number=number) for n in range(1000)]
    bundle["events"] += rivals
    ids = [event["event_id"] for event in rivals]
    for n in range(1000):
        event = signed("mirror_hint", {"n": n}, at=moment, number=number)
        event["supersedes"] = ids[: n % 50]
        sign_event(event)
        bundle["events"].append(event)


def test_a_crowd_of_keys_and_events_is_answered_in_seconds() -> None:
    def both(bundle: Bundle) -> None:
        bundle["public_keys"].extend([key_of(OTHER)] * 1000)
        crowd(bundle)

    data = bundle_bytes(merged(both))
    started = time.process_time()
    report = verify_bundle(data, PINNED)
    assert time.process_time() - started < 5
    assert (report.failure, report.trusted) == (None, True)


def test_columns_must_say_the_same_as_their_bundle() -> None:
    columns: dict[str, object] = {
        "pith_number": GOOD["pith_number"],
        "canonical_sha256": GOOD["canonical_sha256"],
        "bundle_sha256": GOOD[SIGNATURE]["bundle_sha256"],
    }
    assert verify_bundle(bundle_bytes(GOOD), PINNED, columns=columns).trusted
    for name in columns:
        for other in ("x", None):
            report = verify_bundle(bundle_bytes(GOOD), PINNED, columns={**columns, name: other})
            assert report.failure
            assert report.failure.name == "columns"
