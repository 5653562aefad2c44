"""The test vectors, recomputed from the files alone and by the script that makes them.

The first part follows `vectors/README.md` with the standard library and an Ed25519 alone, as an
implementation in another language would.
"""

import base64
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from nacl.signing import SigningKey
from support.bundles.make_vectors import FOLDER, make_all
from support.bundles.schemas import bundle_errors
from support.papers.plain_authors import plain_authors_text

from transforms import CanonicalError, canonical_json, canonical_text, merge
from transforms.encoding.canonical import text_sha256
from transforms.encoding.strict_json import NotStrictJsonError, read_json
from transforms.encoding.timestamps import from_text, to_micros, to_seconds
from transforms.signing import is_signed_by
from transforms.verify.verify import verify_bundle

PAPERS = ("plain", "tex", "non-ascii", "later-snapshot")
UNSIGNED = ("signature", "content_sha256", "event_id")


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="ascii"))


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def without(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: item for key, item in value.items() if key not in keys}


def hex_sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def signature_of(digest: str) -> str:
    key = SigningKey(bytes.fromhex(load("key.json")["seed_hex"]))
    return base64.b64encode(key.sign(bytes.fromhex(digest)).signature).decode()


each_paper = pytest.mark.parametrize("name", PAPERS)


def assert_hashed(entry: dict[str, str]) -> None:
    assert entry["canonical"].encode().hex() == entry["utf8_hex"]
    assert hex_sha256(entry["canonical"]) == entry["sha256"]


def test_the_key() -> None:
    key = load("key.json")
    public = bytes(SigningKey(bytes.fromhex(key["seed_hex"])).verify_key)
    digest = hashlib.sha256(public)
    assert key["seed_hex"] == bytes(range(1, 33)).hex()
    assert (public.hex(), digest.hexdigest()) == (key["public_key_hex"], key["public_key_sha256"])
    document = key["document"]
    assert base64.b64decode(document["public_key_b64"]) == public
    assert document["fingerprint_sha256_hex"] == key["fingerprint"] == digest.hexdigest()[:32]
    b32 = base64.b32encode(digest.digest()).decode()
    assert document["fingerprint_sha256_b32_first128bits"] == b32[:26]


def test_canonical_texts() -> None:
    vectors = load("text.json")
    for entry in vectors["texts"]:
        assert canonical_text(entry["input"]) == entry["canonical"]
        assert_hashed(entry)
    for text in vectors["refused"]:
        with pytest.raises(CanonicalError):
            text_sha256(text)


def test_author_lists() -> None:
    for entry in load("authors.json")["authors"]:
        assert plain_authors_text(entry["input"]) == entry["authors_text"]


def test_canonical_documents() -> None:
    vectors = load("canonical-json.json")
    for entry in vectors["documents"]:
        assert canonical_json(read_json(entry["json"].encode())).decode() == entry["canonical"]
        assert_hashed(entry)
    for entry in vectors["refused"]:
        with pytest.raises((CanonicalError, NotStrictJsonError)):
            canonical_json(read_json(entry["json"].encode()))


@each_paper
def test_record_and_number(name: str) -> None:
    vector = load(f"{name}.json")
    record = vector["record"]
    metadata = json.loads(record["canonical"])["metadata"]
    for text in ("title", "abstract"):
        entry = vector[f"canonical_{text}"]
        assert canonical_text(vector["cleaned"][text]) == entry["canonical"]
        assert canonical_text(vector["input"][text]) == entry["canonical"]
        assert metadata[f"{text}_canon_sha256"] == entry["sha256"]
        assert_hashed(entry)
    assert_hashed(record)
    digest, year = bytes.fromhex(record["sha256"]), metadata["submitted_at"][:4]
    suffix = base64.b32encode(digest).decode()[:26]
    assert base64.b32encode(digest).decode() == record["base32"]
    assert record["suffix"] == suffix
    assert record["pith_number"] == f"pith:{year}:{suffix}"
    assert record["short_pith_number"] == f"pith:{suffix[:8]}"
    arxiv_id = vector["input"]["arxiv_id"]
    version = vector["input"]["versions"][-1][0]
    values = [alias["alias_value"] for alias in record["source_aliases"]]
    assert values[:3] == [arxiv_id, arxiv_id + version, f"10.48550/arxiv.{arxiv_id}"]
    assert values[3:] == [suffix[:12], suffix[:16], suffix[:8]]


@each_paper
def test_receipt_and_events(name: str) -> None:
    vector = load(f"{name}.json")
    receipt = vector["receipt"]
    assert receipt["canonical_sha256"] == vector["record"]["sha256"]
    assert receipt["signature_b64"] == signature_of(vector["record"]["sha256"])
    assert vector["events"][0]["event"]["payload"]["receipt"] == receipt
    for entry in vector["events"]:
        event = entry["event"]
        assert canonical(without(event, *UNSIGNED)) == entry["hashed"]
        assert hex_sha256(entry["hashed"]) == entry["sha256"] == event["content_sha256"]
        assert f"sha256:{entry['sha256']}" == entry["event_id"] == event["event_id"]
        assert entry["signature_b64"] == signature_of(entry["sha256"])
        assert entry["signature_b64"] == event["signature"]["signature_b64"]
    paper = vector["events"][-1]["event"]["payload"]["graph_snapshot"]["paper"]
    assert paper["abstract_excerpt"] == vector["cleaned"]["abstract"][:600]
    assert paper["authors_text"] == vector["cleaned"]["authors_text"]
    assert paper["authors_text"] == plain_authors_text(vector["input"]["authors"])


@each_paper
def test_state_and_bundle(name: str) -> None:
    vector = load(f"{name}.json")
    file = (FOLDER / f"{name}.bundle.json").read_bytes()
    bundle = json.loads(file)
    assert bundle["events"] == [entry["event"] for entry in vector["events"]]
    assert canonical(without(bundle["state"], "state_sha256")) == vector["state"]["hashed"]
    assert hex_sha256(vector["state"]["hashed"]) == vector["state"]["sha256"]
    assert bundle["state"]["state_sha256"] == vector["state"]["sha256"]
    whole, signature = vector["bundle"], bundle["bundle_signature"]
    assert canonical(without(bundle, "bundle_signature")) == whole["hashed"]
    assert hex_sha256(whole["hashed"]) == whole["sha256"] == signature["bundle_sha256"]
    assert whole["signature_b64"] == signature["signature_b64"] == signature_of(whole["sha256"])
    assert hashlib.sha256(file).hexdigest() == whole["file_sha256"]
    assert json.dumps(bundle, ensure_ascii=False, separators=(",", ":")).encode() == file


@each_paper
def test_the_bundles_verify_and_fit_the_schemas(name: str) -> None:
    file = (FOLDER / f"{name}.bundle.json").read_bytes()
    public_key = bytes.fromhex(load("key.json")["public_key_hex"])
    report = verify_bundle(file, [public_key])
    assert (report.failure, report.trusted) == (None, True)
    assert bundle_errors(json.loads(file)) == []


def test_times() -> None:
    vectors = load("times.json")
    for text in vectors["accepted"]:
        assert text in {to_seconds(from_text(text)), to_micros(from_text(text))}
    for entry in vectors["refused"]:
        with pytest.raises(ValueError, match=r"is not a UTC time|out of range|must be in"):
            from_text(entry["text"])


def test_odd_signatures() -> None:
    vectors = load("signatures.json")
    message, verified = bytes.fromhex(vectors["message_hex"]), []
    for case in vectors["signatures"]:
        key, signature = (
            bytes.fromhex(case[f"{name}_hex"]) for name in ("public_key", "signature")
        )
        assert is_signed_by(key, message, signature) is case["verifies"]
        verified += [case["odd"]] if case["verifies"] else []
    assert verified == ["nothing", "a key moved by a point of order 8, which vanishes"]


def test_merges() -> None:
    vectors = load("merge.json")
    names = ("public_keys", "source_aliases")
    for case in vectors["cases"]:
        state = case["state"]
        assert hex_sha256(canonical(without(state, "state_sha256"))) == state["state_sha256"]
        for events in (case["events"], case["events"][::-1] * 2):
            given = {name: vectors[name] for name in names}
            assert merge(events, number=vectors["pith_number"], **given) == state


def test_the_script_gives_the_same_files_byte_for_byte(tmp_path: Path) -> None:
    kept = {path.name: path.read_bytes() for path in FOLDER.glob("*.json")}
    assert make_all() == kept
    script = FOLDER.parent / "support" / "bundles" / "make_vectors.py"
    subprocess.run([sys.executable, script, tmp_path], cwd=tmp_path, check=True)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == kept
