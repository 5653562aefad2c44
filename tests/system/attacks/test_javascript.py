"""The verifier in plain JavaScript agrees with the one in Python, check by check."""

import json
import shutil
import subprocess
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from fuzz.campaign import forgeries, mutations, originals
from hatchling.builders.wheel import WheelBuilder
from support.bundles.bad_bundles import BAD, HARMLESS, HOSTILE, UNCHECKED
from support.bundles.forging import GOOD
from support.bundles.signed_events import ISSUER
from support.paths import ROOT, TESTS

from transforms import bundle_bytes, canonical_text
from transforms.verify.verify import PITH_SCIENCE_KEY, verify_bundle

pytestmark = pytest.mark.process

SCRIPT = ROOT / "flows" / "registry" / "static" / "verify.js"
RUNNER = TESTS / "support" / "javascript" / "verify_many.mjs"
CALLER = TESTS / "support" / "javascript" / "call_verify.mjs"
VECTORS = TESTS / ("vectors")
NODE = shutil.which("node")
PINNED = [ISSUER.signer.public_key, PITH_SCIENCE_KEY]

needs_node = pytest.mark.skipif(NODE is None, reason="there is no Node on this machine")


def run_node(*words: str | Path, data: bytes = b"") -> bytes:
    assert NODE
    done = subprocess.run([NODE, *words], input=data, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def called(*calls: list[Any]) -> list[Any]:
    """Return what functions of the verifier in JavaScript give; a call is a name and arguments."""
    results: list[Any] = json.loads(run_node(CALLER, SCRIPT, data=json.dumps(calls).encode()))
    return results


def by_node(documents: Iterable[bytes]) -> list[dict[str, Any]]:
    """Return the reports of the verifier in JavaScript."""
    framed = b"".join(len(data).to_bytes(4) + data for data in documents)
    keys = [key.hex() for key in PINNED]
    return [json.loads(line) for line in run_node(RUNNER, SCRIPT, *keys, data=framed).splitlines()]


def by_python(data: bytes) -> dict[str, Any]:
    report = verify_bundle(data, PINNED)
    return {
        "pith_number": report.pith_number,
        "valid": report.valid,
        "trusted": report.trusted,
        "unreadable": bool(report.unreadable),
        "checks": [[check.name, check.outcome] for check in report.checks],
    }


def differences(documents: dict[str, bytes]) -> list[tuple[str, Any, Any]]:
    """Return the documents on which the two do not say the same, and what each says."""
    found = []
    reports = by_node(documents.values())
    assert len(reports) == len(documents)
    for (name, data), report in zip(documents.items(), reports, strict=True):
        said = {
            **report,
            "unreadable": report["unreadable"] is not None,
            "checks": [[check["name"], check["outcome"]] for check in report["checks"]],
        }
        if said != by_python(data):
            found.append((name, said, by_python(data)))
    return found


def as_bytes(document: Any) -> bytes:
    return json.dumps(document).encode()


@needs_node
def test_it_agrees_on_published_bundles_vectors_and_every_named_case() -> None:
    documents = {f"original {n}": data for n, data in enumerate(originals())}
    documents |= {name: as_bytes(bundle) for name, (bundle, _) in {**BAD, **UNCHECKED}.items()}
    documents |= {name: bundle_bytes(bundle) for name, bundle in HARMLESS.items()}
    documents |= HOSTILE
    assert len(documents) > 230
    assert differences(documents) == []


@needs_node
def test_it_agrees_on_two_thousand_mutations() -> None:
    documents = {f"mutation {n}": data for n, (_, data) in enumerate(mutations(2000, seed=34))}
    assert differences(documents) == []


@needs_node
def test_it_agrees_on_forgeries() -> None:
    documents = {
        f"{forgery.path} {n}": as_bytes(forgery.bundle)
        for n, forgery in enumerate(forgeries(300, seed=34))
    }
    assert differences(documents) == []


JSON_TEXTS = [
    "-0", "9007199254740992", "9007199254740993", "-9007199254740992", "1.0", "1e2", "01", "+1",
    "NaN", "Infinity", "-", "[1,]", '{"a":1,}', '{"a":1,"a":1}', '{"__proto__":1}', "'a'", "nul",
    '"\\u00e9"', '"\\uD83D\\uDE00"', '"\\ud800"', '"\\x41"', '"\\u00"', '"a', '"\t"', '"\x7f"',
    "[" * 100 + "]" * 100, "[" * 260 + "]" * 260, '{"\u00e9":1}', '"\u2028\u00a0\ufeff"', "tru",
    "[}", "1 2", '""', "123456789012345678901234567890", '{"10":1,"9":2,"a b":3,"":4}', "\ufeff1",
]  # fmt: skip


@needs_node
def test_it_reads_json_as_strictly() -> None:
    good = bundle_bytes(GOOD).decode()
    documents = {
        text: good.replace('"timestamp_proofs":[]', f'"timestamp_proofs":[{text}]').encode()
        for text in JSON_TEXTS
    }
    documents |= {f"{text} alone": text.encode() for text in JSON_TEXTS}
    documents["after it"] = f"{good} x".encode()
    documents["spaces around it"] = f" \r\n\t{good}\n".encode()
    documents["a byte order mark"] = f"\ufeff{good}".encode()
    documents["another space before it"] = f"\u00a0{good}".encode()
    documents["a surrogate in UTF-8"] = good.encode() + b"\xed\xa0\x80"
    assert "David Picard" in good
    documents["a text of 8 MB"] = good.replace("David Picard", "x" * 8_000_000).encode()
    assert differences(documents) == []


@needs_node
def test_its_canonical_text_is_the_same_for_every_character() -> None:
    """Not of characters that either side's Unicode does not know yet."""
    known = [
        chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) not in {"Cn", "Cs", "Co"}
    ]
    texts = [f"A{c}a {c}{c} a{c}A\u03a3" for c in known]
    said = called(*(["canonicalText", text] for text in texts))
    assert [t for t, s in zip(texts, said, strict=True) if canonical_text(t) != s] == []


@needs_node
def test_it_agrees_on_the_vectors_of_single_rules() -> None:
    times, signatures, merges = (
        json.loads((VECTORS / f"{name}.json").read_text())
        for name in ("times", "signatures", "merge")
    )
    accepted = called(*(["instant", text] for text in times["accepted"]))
    assert [text[:19] for text in accepted] == [text[:19] for text in times["accepted"]]
    refused = called(*(["instant", entry["text"]] for entry in times["refused"]))
    assert set(refused) == {None}
    message = {"hex": signatures["message_hex"]}
    verified = called(
        *(
            ["isSignedBy", {"hex": case["public_key_hex"]}, message, {"hex": case["signature_hex"]}]
            for case in signatures["signatures"]
        )
    )
    assert verified == [case["verifies"] for case in signatures["signatures"]]
    of = {
        "number": merges["pith_number"],
        "publicKeys": merges["public_keys"],
        "sourceAliases": merges["source_aliases"],
    }
    states = called(*(["mergeEvents", case["events"], of] for case in merges["cases"]))
    assert states == [case["state"] for case in merges["cases"]]


def test_the_wheel_ships_it() -> None:
    wheel = WheelBuilder(str(ROOT))
    shipped = {file.distribution_path for file in wheel.recurse_included_files()}
    assert "flows/registry/static/verify.js" in shipped
