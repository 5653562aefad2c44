"""Merging events to state: a join (spec, section 5)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.bundles.signed_events import ISSUER, KEYS, NUMBER, OTHER, STRANGER, signed

from transforms import merge
from transforms.bundle.state import LISTS

T0 = datetime(2026, 5, 17, tzinfo=UTC)


def merged(*events: Any) -> Any:
    return merge(events, number=NUMBER, public_keys=KEYS, source_aliases=[])


def shown(state: dict[str, Any], name: str = "graph_snapshots") -> list[str]:
    return [view["event_id"] for view in state["current"][name]]


FIRST = signed("graph_snapshot", {"n": 1}, at=T0)
SECOND = signed("graph_snapshot", {"n": 2}, at=T0 + timedelta(1), after=FIRST)
RIVAL = signed("graph_snapshot", {"n": 3}, at=T0 + timedelta(2), after=FIRST)
THIRD = signed("graph_snapshot", {"n": 4}, at=T0 + timedelta(3), after=SECOND)
CREATED = signed("record_created", {"canonical_record": {"a": 1}}, at=T0)
AGAIN = signed(
    "record_created", {"canonical_record": {"a": 1}}, at=T0 + timedelta(4), after=CREATED
)
FOREIGN = signed("graph_snapshot", {"n": 5}, at=T0 + timedelta(5), after=FIRST, by=OTHER)
UNKNOWN = signed("blessing", {"by": "a bishop"}, at=T0)
UNLISTED = signed("graph_snapshot", {"n": 6}, at=T0, by=STRANGER)
FORGED = {**FIRST, "payload": {"n": 7}}
ALL = [FIRST, SECOND, RIVAL, THIRD, CREATED, AGAIN, FOREIGN, UNKNOWN, UNLISTED, FORGED]


@given(st.lists(st.sampled_from(ALL)), st.randoms(use_true_random=False))
def test_order_and_repetition_do_not_matter(events: list[Any], random: Any) -> None:
    again = events + [random.choice(events) for _ in events]
    random.shuffle(again)
    assert merged(*again) == merged(*events)


def test_a_later_snapshot_replaces_the_one_that_it_names() -> None:
    state = merged(SECOND, FIRST)
    assert shown(state) == [SECOND["event_id"]]
    assert state["applied_event_ids"] == [FIRST["event_id"], SECOND["event_id"]]
    assert (state["event_count"], state["equivocation_count"]) == (2, 0)


def test_what_was_replaced_stays_replaced_when_its_successor_is() -> None:
    assert shown(merged(FIRST, SECOND, THIRD)) == [THIRD["event_id"]]


def test_equivocation_is_listed_and_replaces_nothing() -> None:
    state = merged(FIRST, SECOND, RIVAL)
    assert shown(state) == [FIRST["event_id"]]
    assert state["equivocations"] == [
        {
            "event_ids": sorted([SECOND["event_id"], RIVAL["event_id"]]),
            "event_type": "graph_snapshot",
            "prev_event": FIRST["event_id"],
            "signer_id": ISSUER.identity.signer_id,
            "target": "graph",
        }
    ]


def test_another_signer_replaces_nothing() -> None:
    assert shown(merged(FIRST, FOREIGN)) == [FIRST["event_id"], FOREIGN["event_id"]]


def test_the_newest_record_counts_and_gives_the_canonical_record() -> None:
    state = merged(AGAIN, CREATED)
    assert state["current"]["record_created"]["event_id"] == AGAIN["event_id"]
    assert state["current"]["canonical_record"] == {"a": 1}
    assert merged()["current"]["record_created"] is None


def test_records_come_before_snapshots_of_the_same_second() -> None:
    assert merged(FIRST, CREATED)["applied_event_ids"][0] == CREATED["event_id"]


@pytest.mark.parametrize("event_type", LISTS)
def test_each_type_fills_its_list(event_type: str) -> None:
    event = signed(event_type, {"x": 1}, at=T0)
    assert shown(merged(event), LISTS[event_type]) == [event["event_id"]]


def test_an_unknown_type_is_counted_and_kept() -> None:
    state = merged(UNKNOWN)
    assert state["valid_event_count"] == 1
    assert state["applied_event_ids"] == [UNKNOWN["event_id"]]


def with_signature(event: dict[str, Any], **changed: Any) -> dict[str, Any]:
    return {**event, "signature": {**event["signature"], **changed}}


INVALID = {
    "not an object": (17, "malformed"),
    "no type": ({k: v for k, v in FIRST.items() if k != "event_type"}, "malformed"),
    "supersedes a number": ({**FIRST, "supersedes": [1]}, "malformed"),
    "a date that is none": ({**FIRST, "created_at": "soon"}, "malformed"),
    "signer a text": ({**FIRST, "signer": "me"}, "malformed"),
    "a float": ({**FIRST, "payload": 1.5}, "not canonical JSON: a float"),
    "another payload": (FORGED, "content_sha256 does not recompute"),
    "another id": ({**FIRST, "event_id": "sha256:0"}, "event_id does not recompute"),
    "another record": (signed("graph_snapshot", {}, at=T0, number="pith:2000:X"), "about another"),
    "no signature": ({**FIRST, "signature": None}, "no signature"),
    "another algorithm": (with_signature(FIRST, algorithm="none"), "not a signature of this kind"),
    "of something else": (with_signature(FIRST, signed_message="x"), "not a signature of this"),
    "a key not listed": (UNLISTED, "signed by a key that is not listed"),
    "a key id that is a list": (with_signature(FIRST, key_id=[]), "signed by a key that is not"),
    "no base64": (with_signature(FIRST, signature_b64="?"), "signature is not 64 bytes of base64"),
    "another signature": (
        with_signature(FIRST, signature_b64=SECOND["signature"]["signature_b64"]),
        "signature does not verify",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_an_invalid_event_is_listed_with_its_reason_and_changes_nothing(name: str) -> None:
    invalid, reason = INVALID[name]
    state = merged(SECOND, invalid, FIRST)
    (entry,) = state["invalid_events"]
    assert entry["reason"].startswith(reason)
    assert state["current"] == merged(FIRST, SECOND)["current"]
    assert (state["event_count"], state["invalid_event_count"]) == (3, 1)
