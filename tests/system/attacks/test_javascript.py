"""The verifier in plain JavaScript agrees with the one in Python, check by check."""

import json
import shutil
import subprocess
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hatchling.builders.wheel import WheelBuilder
from support.javascript.agreement import (
    PINNED,
    Documents,
    differences,
    forged_documents,
    framed,
    json_documents,
    large_documents,
    mutated_documents,
    named_documents,
    vector_calls,
)
from support.paths import ROOT, TESTS

from transforms import canonical_text

pytestmark = pytest.mark.process

STATIC = ROOT / "flows" / "registry" / "static"
RUNNER = TESTS / "support" / "javascript" / "verify_many.mjs"
CALLER = TESTS / "support" / "javascript" / "call_verify.mjs"
NODE = shutil.which("node")

needs_node = pytest.mark.skipif(NODE is None, reason="there is no Node on this machine")


def run_node(*words: str | Path, data: bytes = b"") -> bytes:
    assert NODE
    done = subprocess.run([NODE, *words], input=data, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def called(*calls: list[Any]) -> list[Any]:
    """Return what functions of the verifier in JavaScript give; a call: module, name, arguments."""
    results: list[Any] = json.loads(run_node(CALLER, STATIC, data=json.dumps(calls).encode()))
    return results


def by_node(documents: Documents) -> list[Any]:
    """Return the reports of the verifier in JavaScript."""
    keys = [key.hex() for key in PINNED]
    lines = run_node(RUNNER, STATIC / "verify.js", *keys, data=framed(documents)).splitlines()
    return [json.loads(line) for line in lines]


@needs_node
def test_it_agrees_on_published_bundles_vectors_and_every_named_case() -> None:
    documents = named_documents()
    assert len(documents) > 230
    assert differences(documents, by_node(documents)) == []


@needs_node
def test_it_agrees_on_two_thousand_mutations() -> None:
    documents = mutated_documents(2000)
    assert differences(documents, by_node(documents)) == []


@needs_node
def test_it_agrees_on_forgeries() -> None:
    documents = forged_documents(300)
    assert differences(documents, by_node(documents)) == []


@needs_node
def test_it_reads_json_as_strictly() -> None:
    documents = json_documents()
    assert differences(documents, by_node(documents)) == []


@needs_node
def test_it_agrees_on_texts_of_megabytes() -> None:
    documents = large_documents()
    assert differences(documents, by_node(documents)) == []


@needs_node
def test_its_canonical_text_is_the_same_for_every_character() -> None:
    """Not of characters that either side's Unicode does not know yet."""
    known = [
        chr(n) for n in range(0x110000) if unicodedata.category(chr(n)) not in {"Cn", "Cs", "Co"}
    ]
    texts = [f"A{c}a {c}{c} a{c}A\u03a3" for c in known]
    said = called(*(["verify/canonical.js", "canonicalText", text] for text in texts))
    assert [t for t, s in zip(texts, said, strict=True) if canonical_text(t) != s] == []


@needs_node
def test_it_agrees_on_the_vectors_of_single_rules() -> None:
    calls, due = zip(*vector_calls(), strict=True)
    assert called(*calls) == list(due)


def test_the_wheel_ships_it() -> None:
    wheel = WheelBuilder(str(ROOT))
    shipped = {file.distribution_path for file in wheel.recurse_included_files()}
    files = {path.relative_to(ROOT) for path in STATIC.rglob("*.js")}
    assert {str(path) for path in files} <= shipped
    assert len(files) > 10
