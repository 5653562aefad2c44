"""The JSON Schemas fit all that is written, and refuse what is not of the format."""

import copy
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from fuzz.campaign import forgeries
from hatchling.builders.wheel import WheelBuilder
from jsonschema import Draft202012Validator
from support.bundles.bad_bundles import BAD_PARTS, HARMLESS, UNCHECKED
from support.bundles.schemas import NAMES, SCHEMAS, bundle_errors, errors, refs
from support.bundles.signed_events import ISSUER, KEYS, NUMBER, OTHER, signed
from support.commands.command import run
from support.papers.golden_data import FOLDER, GOLDEN
from support.runs import jobs
from support.runs.runs import SAMPLE, bundle_files, config_in, process, rows

from transforms import build_bundle, merge
from transforms.bundle.build import IssueTimes, draft
from transforms.bundle.later_events import append_snapshot
from transforms.bundle.state import LISTS
from transforms.signing import encode_base64, fingerprint
from transforms.verify.verify import PITH_SCIENCE_KEY, BundleReport, Check, Outcome, verify_bundle

pytestmark = pytest.mark.process

T0 = datetime(2026, 5, 17, 23, 42, 13, 5, tzinfo=UTC)
WHOLE = GOLDEN[0].bundle
OTHER_TYPES = [*(LISTS.keys() - {"graph_snapshot"}), "blessing"]
AUTHORS = b"<authors>Carlo Luschi, Dominic Masters</authors>"


@pytest.mark.parametrize("name", NAMES)
def test_the_schemas_are_draft_2020_12_under_ids_of_their_own(name: str) -> None:
    schema = SCHEMAS[name]
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["$id"] == f"https://pith-ingest.invalid/schemas/1.0/{name}.schema.json"
    others = {ref.partition("#")[0] for ref in refs(schema)} - {""}
    assert others <= {f"{other}.schema.json" for other in NAMES}


@pytest.mark.parametrize("golden", GOLDEN, ids=lambda golden: golden.id)
def test_the_published_bundles_fit(golden: Any) -> None:
    assert bundle_errors(golden.bundle) == []


def test_all_that_the_pipeline_writes_fits(tmp_path: Path) -> None:
    config = config_in(tmp_path)
    assert jobs.backfill_raw(config, [SAMPLE]).counts.new_records == 9
    page = (SAMPLE / "oai-page.xml").read_bytes()
    assert AUTHORS in page
    later = page.replace(AUTHORS, b"<authors>C. Luschi, D. Masters</authors>")
    assert process(tmp_path, later).counts.new_snapshots == 1
    bundles = [json.loads(data) for data in bundle_files(tmp_path).values()]
    assert sorted(len(bundle["events"]) for bundle in bundles) == [2] * 8 + [3]
    assert [line for bundle in bundles for line in bundle_errors(bundle)] == []
    logged = [json.loads(row["event"]) for row in rows(tmp_path, "events")]
    assert (len(logged), [line for event in logged for line in errors("event", event)]) == (19, [])


def test_a_bundle_with_several_keys_and_events_fits() -> None:
    paper = GOLDEN[0].paper
    bundle = build_bundle(paper, issuer=ISSUER, times=IssueTimes.at(T0))
    bundle = append_snapshot(bundle, draft(paper), issuer=OTHER, moment=T0 + timedelta(1))
    assert (len(bundle["public_keys"]), len(bundle["events"])) == (2, 3)
    assert bundle_errors(bundle) == []


@pytest.mark.parametrize("event_type", OTHER_TYPES)
def test_events_of_other_types_fit_with_any_payload(event_type: str) -> None:
    first = signed(event_type, {"anything": [1, None]}, at=T0)
    assert errors("event", first) == []
    second = signed(event_type, "a text", at=T0 + timedelta(1), after=first)
    assert errors("event", {**second, "signer": {"signer_id": "x", "orcid": "y"}}) == []


def test_a_state_of_all_types_with_equivocation_and_invalid_events_fits() -> None:
    others = [signed(event_type, {"n": 1}, at=T0) for event_type in OTHER_TYPES]
    first = others[0]
    rivals = [
        signed(first["event_type"], {"n": n}, at=T0 + timedelta(n), after=first) for n in (2, 3)
    ]
    forged: list[Any] = [{**first, "payload": "forged"}, {"event_id": 7}, "no event"]
    state = merge(
        [*others, *rivals, *forged],
        number=NUMBER,
        public_keys=KEYS,
        source_aliases=WHOLE["source_aliases"],
    )
    assert (state["equivocation_count"], state["invalid_event_count"]) == (1, 3)
    assert errors("state", state) == []
    assert errors("bundle", {**WHOLE, "state": state})  # a valid bundle has no invalid event


Wrong = Callable[[dict[str, Any]], object]

WRONG_RECORDS: dict[str, Wrong] = {
    "a key too many": lambda record: record.update(extra=1),
    "no metadata": lambda record: record.pop("metadata"),
    "another schema": lambda record: record.update(schema_version="2.0"),
    "licence null": lambda record: record["metadata"].update(license=None),
    "version as text": lambda record: record["source"].update(version="1"),
    "version 0": lambda record: record["source"].update(version=0),
    "an id with its version": lambda record: record["source"].update(id="1906.10822v1"),
    "an id that is a path": lambda record: record["source"].update(id="../1906.10822"),
    "an id in other digits": lambda record: record["source"].update(id="١٩٠٦.10822"),
    "another source": lambda record: record["source"].update(kind="biorxiv"),
    "month 13": lambda record: record["metadata"].update(submitted_at="2019-13-26T02:54:26Z"),
    "another zone": lambda record: record["metadata"].update(
        submitted_at="2019-06-26T02:54:26+00:00"
    ),
    "a fraction": lambda record: record["metadata"].update(
        submitted_at="2019-06-26T02:54:26.000000Z"
    ),
    "a hash in capitals": lambda record: record["metadata"].update(title_canon_sha256="A" * 64),
    "no such category": lambda record: record["metadata"].update(primary_cat="cs LG"),
}
WRONG_EVENTS: dict[str, Wrong] = {
    "a key too many": lambda event: event.update(extra=1),
    "no signature": lambda event: event.pop("signature"),
    "a short event id": lambda event: event.update(event_id=event["content_sha256"]),
    "the other target": lambda event: event.update(target="graph"),
    "a snapshot's type": lambda event: event.update(event_type="graph_snapshot"),
    "no type": lambda event: event.pop("event_type"),
    "a payload of its own": lambda event: event.update(payload={"n": 1}),
    "a signer without key": lambda event: event["signer"].pop("key_id"),
    "a fraction in created_at": lambda event: event.update(
        created_at="2026-05-17T23:42:13.000000Z"
    ),
    "no fraction in signed_at": lambda event: event["signature"].update(
        signed_at="2026-05-17T23:42:13Z"
    ),
    "another algorithm": lambda event: event["signature"].update(algorithm="rsa"),
    "another message": lambda event: event["signature"].update(
        signed_message="canonical_sha256_bytes"
    ),
    "base64 with stray bits": lambda event: event["signature"].update(
        signature_b64="A" * 85 + "B=="
    ),
    "base64 of 63 bytes": lambda event: event["signature"].update(signature_b64="A" * 84),
    "supersedes null": lambda event: event.update(supersedes=None),
    "supersedes one twice": lambda event: event.update(supersedes=[event["event_id"]] * 2),
    "an attestation of more": lambda event: event["payload"].update(attestation_state="reviewed"),
    "a receipt without times": lambda event: event["payload"]["receipt"].pop("first_computed_at"),
}
WRONG_BUNDLES: dict[str, Wrong] = {
    "a key too many": lambda bundle: bundle.update(extra=1),
    "a long short number": lambda bundle: bundle.update(short_pith_number=bundle["pith_number"]),
    "a number in small letters": lambda bundle: bundle.update(
        pith_number=bundle["pith_number"].lower()
    ),
    "no events": lambda bundle: bundle["events"].clear(),
    "no snapshot": lambda bundle: bundle["events"].pop(),
    "no keys": lambda bundle: bundle["public_keys"].clear(),
    "a key twice": lambda bundle: bundle["public_keys"].append(bundle["public_keys"][0]),
    "a key of 31 bytes": lambda bundle: bundle["public_keys"][0].update(public_key_b64="A" * 44),
    "a time witness": lambda bundle: bundle["timestamp_proofs"].append({}),
    "aliases in another order": lambda bundle: bundle["source_aliases"].reverse(),
    "an alias too many": lambda bundle: bundle["source_aliases"].append(
        bundle["source_aliases"][0]
    ),
    "a link without scheme": lambda bundle: bundle["links"].update(resolver="//example.org"),
    "no state": lambda bundle: bundle.pop("state"),
    "a state without record": lambda bundle: bundle["state"]["current"].update(
        canonical_record=None
    ),
    "a negative count": lambda bundle: bundle["state"].update(event_count=-1),
    "another merge": lambda bundle: bundle["state"].update(merge_version="v2"),
    "an event wrong within": lambda bundle: bundle["events"][0].pop("signer"),
    "a long excerpt": lambda bundle: bundle["events"][1]["payload"]["graph_snapshot"][
        "paper"
    ].update(abstract_excerpt="a" * 601),
    "a hard wrap in the excerpt": lambda bundle: bundle["events"][1]["payload"]["graph_snapshot"][
        "paper"
    ].update(abstract_excerpt="one\ntwo"),
    "an unsigned bundle": lambda bundle: bundle["bundle_signature"].update(
        signature_status="unsigned"
    ),
}


def _spoilt(document: dict[str, Any], spoil: Wrong) -> dict[str, Any]:
    copied = copy.deepcopy(document)
    spoil(copied)
    return copied


@pytest.mark.parametrize("wrong", WRONG_RECORDS)
def test_wrong_records_are_refused(wrong: str) -> None:
    assert errors("record", _spoilt(WHOLE["canonical_record"], WRONG_RECORDS[wrong]))


@pytest.mark.parametrize("wrong", WRONG_EVENTS)
def test_wrong_events_are_refused(wrong: str) -> None:
    assert errors("event", _spoilt(WHOLE["events"][0], WRONG_EVENTS[wrong]))


@pytest.mark.parametrize("wrong", WRONG_BUNDLES)
def test_wrong_bundles_are_refused(wrong: str) -> None:
    assert errors("bundle", _spoilt(WHOLE, WRONG_BUNDLES[wrong]))


TAKEN_BEYOND = {
    r"\$\.timestamp_proofs": "proofs of any kind: could not check",
    r".*\.(claims|references|formal_canon|author_claims|verdict(_id)?|headline)":
        "sections that are not empty: could not check",
    r"\$\.mirror_hints(\[\d\]\.status)?": "more mirrors than the primary one, or none",
    r"\$\.public_keys": "the same entry twice",
    r".*\.abstract_excerpt": "another layout of the same canonical text",
    r"\$(\.events\[\d\])?\.schema_version": "foreign events of any schema",
}  # fmt: skip
"""What a verifier takes though this version does not write it (docs/format.md, section 9)."""


def test_what_fits_passes_the_check_and_what_is_valid_fits_but_for_what_is_named() -> None:
    """The check is written by hand, since it is made of millions; this ties it to the schemas."""
    documents = [forgery.bundle for forgery in forgeries(400, seed=56)]
    documents += [*HARMLESS.values(), *(bundle for bundle, _ in UNCHECKED.values())]
    documents += [bundle for bundle, _ in BAD_PARTS.values()]
    fitting, seen = 0, set()
    for bundle in documents:
        report = verify_bundle(json.dumps(bundle).encode(), [])
        form = next((check for check in report.checks if check.name == "schema"), None)
        wrong = fits(bundle)
        if form and form.outcome is not Outcome.PASS:
            assert wrong, form.detail
        elif report.valid:
            fitting += 1
            found = {path for line in wrong for path in TAKEN_BEYOND
                     if re.fullmatch(path, line.partition(": ")[0])}  # fmt: skip
            assert len(found) > 0 or wrong == []
            assert all(
                any(re.fullmatch(path, line.partition(": ")[0].replace("$.state.current", "$"))
                    for path in TAKEN_BEYOND) for line in wrong
            ), wrong  # fmt: skip
            seen |= found
    assert fitting > 50
    assert seen == TAKEN_BEYOND.keys()


def fits(bundle: dict[str, Any]) -> list[str]:
    """Return what is wrong by the schemas, also of a bundle whose parts are missing."""
    try:
        return bundle_errors(bundle)
    except (KeyError, TypeError):
        return ["$: parts are missing"]


def test_no_text_of_a_fixed_form_takes_a_newline_at_its_end() -> None:
    """In Python `$` would match before it."""
    free = {"abstract_excerpt", "builder_version", "key_id", "name", "notes", "signer_id"}
    taken = []
    for path, text in _texts(WHOLE, ()):
        spoilt = copy.deepcopy(WHOLE)
        parent: Any = spoilt
        for step in path[:-1]:
            parent = parent[step]
        parent[path[-1]] = text + "\n"
        if path[-1] not in free and not errors("bundle", spoilt):
            taken.append(path)
    assert taken == []


def _texts(value: Any, path: tuple[Any, ...]) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _texts(item, (*path, key))


def _line(report: BundleReport, row: int | None = None) -> dict[str, Any]:
    status = "trusted" if report.trusted else "untrusted"
    if not report.valid:
        status = "unreadable" if report.unreadable else "invalid"
    return {
        "path": "bundles/a.json",
        "row": row,
        "pith_number": report.pith_number,
        "status": status,
        "valid": report.valid,
        "trusted": report.trusted,
        "unreadable": report.unreadable or None,
        "checks": [
            {"name": check.name, "outcome": check.outcome.value, "detail": check.detail}
            for check in report.checks
        ],
        "signers": [
            {"fingerprint": fingerprint(key), "public_key": encode_base64(key), "trusted": None}
            for key in report.signers
        ],
    }


TRUSTED = verify_bundle(GOLDEN[0].data, [PITH_SCIENCE_KEY])
UNTRUSTED = verify_bundle(GOLDEN[0].data, [])
INVALID = verify_bundle(GOLDEN[0].data.replace(b"SGD", b"sGD", 1), [])
UNREADABLE = verify_bundle(b"[]", [])
REPORTS = [TRUSTED, UNTRUSTED, INVALID, UNREADABLE]


def test_every_verify_report_fits() -> None:
    statuses = [_line(report)["status"] for report in REPORTS]
    assert statuses == ["trusted", "untrusted", "invalid", "unreadable"]
    for report in REPORTS:
        assert errors("verify-report", _line(report)) == []
        assert errors("verify-report", _line(report, row=3)) == []
    hostile = BundleReport("any\ntext", (Check("title", Outcome.FAIL, "x"),), trusted=False)
    assert errors("verify-report", _line(hostile)) == []
    summary = {
        "bundles": 4, "valid": 2, "trusted": 1, "unreadable": 1, "without_metadata": 0,
    }  # fmt: skip
    assert errors("verify-report", {"summary": summary}) == []


WRONG_LINES: dict[str, dict[str, Any]] = {
    "trusted but not valid": {**_line(TRUSTED), "valid": False},
    "trusted but called untrusted": {**_line(TRUSTED), "status": "untrusted"},
    "valid with a failed check": {**_line(TRUSTED), "checks": _line(INVALID)["checks"]},
    "valid without checks": {**_line(TRUSTED), "checks": []},
    "invalid without a failed check": {**_line(INVALID), "checks": _line(TRUSTED)["checks"]},
    "unreadable without a reason": {**_line(UNREADABLE), "unreadable": None},
    "readable with a reason": {**_line(TRUSTED), "unreadable": "not JSON"},
    "another outcome": {
        **_line(TRUSTED), "checks": [{"name": "title", "outcome": "maybe", "detail": ""}]
    },
    "a negative row": {**_line(TRUSTED), "row": -1},
    "a key too many": {**_line(TRUSTED), "key": 1},
    "a signer without a key": {**_line(TRUSTED), "signers": [{"trusted": None}]},
    "a line and a summary": {**_line(TRUSTED), "summary": {}},
    "a summary without counts": {"summary": {"bundles": 1}},
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG_LINES)
def test_wrong_report_lines_are_refused(wrong: str) -> None:
    assert errors("verify-report", WRONG_LINES[wrong])


def test_the_wheel_ships_them() -> None:
    wheel = WheelBuilder(str(SAMPLE.parents[1]))
    shipped = {file.distribution_path for file in wheel.recurse_included_files()}
    assert {f"transforms/schemas/{name}.schema.json" for name in NAMES} <= shipped


def test_what_the_command_prints_is_a_report(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(b"{")
    done = run(tmp_path, "verify", "--json", FOLDER, bad)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [errors("verify-report", line) for line in lines] == [[]] * len(lines)
    assert lines[-1]["summary"]["unreadable"] >= 1
