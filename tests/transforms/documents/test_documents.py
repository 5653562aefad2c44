"""The types of documents have the keys of what is published, and of what strangers are held to."""

from typing import Any, get_type_hints

import msgspec
import pytest
from support.papers.golden_data import GOLDEN

from transforms import build_bundle
from transforms.documents import bundle, checked, event, record, state

PAPER = GOLDEN[0]
BUNDLE = PAPER.bundle
CREATED, SNAPSHOT = BUNDLE["events"]
CURRENT = BUNDLE["state"]["current"]

PUBLISHED: dict[type[Any], Any] = {
    bundle.Bundle: BUNDLE,
    bundle.Links: BUNDLE["links"],
    bundle.MirrorHint: BUNDLE["mirror_hints"][0],
    record.Record: BUNDLE["canonical_record"],
    record.Source: BUNDLE["source"],
    record.Metadata: BUNDLE["canonical_record"]["metadata"],
    record.Alias: BUNDLE["source_aliases"][0],
    record.PublicKey: BUNDLE["public_keys"][0],
    record.BundleSignature: BUNDLE["bundle_signature"],
    record.Signature: CREATED["signature"],
    record.Receipt: CREATED["payload"]["receipt"],
    event.Signer: CREATED["signer"],
    event.CreatedEvent: CREATED,
    event.CreatedPayload: CREATED["payload"],
    event.SnapshotEvent: SNAPSHOT,
    event.SnapshotPayload: SNAPSHOT["payload"],
    event.Snapshot: SNAPSHOT["payload"]["graph_snapshot"],
    event.SnapshotPaper: SNAPSHOT["payload"]["graph_snapshot"]["paper"],
    state.State: BUNDLE["state"],
    state.Current: CURRENT,
    state.CreatedView: CURRENT["record_created"],
    state.SnapshotView: CURRENT["graph_snapshots"][0],
}

CHECKED: dict[type[msgspec.Struct], type[Any]] = {
    checked.CheckedBundle: bundle.Bundle,
    checked.CheckedRecord: record.Record,
    checked.CheckedSource: record.Source,
    checked.CheckedMetadata: record.Metadata,
    checked.CheckedPublicKey: record.PublicKey,
    checked.CheckedSignature: record.Signature,
    checked.CheckedReceipt: record.Receipt,
    checked.CheckedSigner: event.Signer,
    checked.CheckedRecordCreated: event.CreatedEvent,
    checked.CheckedCreatedPayload: event.CreatedPayload,
    checked.CheckedGraphSnapshot: event.SnapshotEvent,
    checked.CheckedSnapshotPayload: event.SnapshotPayload,
    checked.CheckedSnapshot: event.Snapshot,
    checked.CheckedSnapshotPaper: event.SnapshotPaper,
}


@pytest.mark.parametrize("kind", PUBLISHED, ids=lambda kind: kind.__name__)
def test_a_type_has_the_keys_of_the_published_document(kind: type[Any]) -> None:
    assert get_type_hints(kind).keys() == PUBLISHED[kind].keys()


@pytest.mark.parametrize("struct", CHECKED, ids=lambda struct: struct.__name__)
def test_a_stranger_is_held_to_the_keys_that_we_write(struct: type[msgspec.Struct]) -> None:
    fields = {field.name for field in msgspec.structs.fields(struct)}
    assert fields == get_type_hints(CHECKED[struct]).keys()


def test_every_struct_and_every_part_of_a_bundle_has_its_pair() -> None:
    structs = {each for each in vars(checked).values() if isinstance(each, type)}
    own = {each for each in structs if each.__name__.startswith("Checked")}
    # Of these no more of the form is known than what the struct says.
    assert own - CHECKED.keys() == {checked.CheckedSection, checked.CheckedForeignEvent}


def test_what_is_built_has_the_order_of_keys_that_is_published() -> None:
    built = build_bundle(PAPER.paper, issuer=PAPER.issuer, times=PAPER.times)
    assert list(built) == list(BUNDLE)
    assert [list(each) for each in built["events"]] == [list(each) for each in BUNDLE["events"]]
