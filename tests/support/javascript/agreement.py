"""What the verifier in JavaScript must say: what the one in Python does, and the vectors."""

import json
from collections.abc import Sequence
from typing import Any

from fuzz import campaign
from fuzz.campaign import forgeries, mutations, originals

from support.bundles.bad_bundles import BAD, HARMLESS, HOSTILE, UNCHECKED
from support.bundles.forging import GOOD, put, resigned
from support.bundles.signed_events import ISSUER
from support.paths import TESTS
from transforms import bundle_bytes
from transforms.encoding.strict_json import MAX_VALUES
from transforms.signing import encode_base64, fingerprint
from transforms.verify.verify import PITH_SCIENCE_KEY, verify_bundle

Documents = dict[str, bytes]

PINNED = [ISSUER.signer.public_key, PITH_SCIENCE_KEY]
SEED = 34

JSON_TEXTS = [
    "-0", "9007199254740992", "9007199254740993", "-9007199254740992", "1.0", "1e2", "01", "+1",
    "NaN", "Infinity", "-", "[1,]", '{"a":1,}', '{"a":1,"a":1}', '{"__proto__":1}', "'a'", "nul",
    '"\\u00e9"', '"\\uD83D\\uDE00"', '"\\ud800"', '"\\x41"', '"\\u00"', '"a', '"\t"', '"\x7f"',
    "[" * 100 + "]" * 100, "[" * 260 + "]" * 260, '{"\u00e9":1}', '"\u2028\u00a0\ufeff"', "tru",
    "[}", "1 2", '""', "123456789012345678901234567890", '{"10":1,"9":2,"a b":3,"":4}', "\ufeff1",
]  # fmt: skip


def named_documents() -> Documents:
    """Return published bundles, vectors, and every bad, unchecked, harmless and hostile one."""
    documents = {f"original {n}": data for n, data in enumerate(originals())}
    documents |= {name: _as_bytes(bundle) for name, (bundle, _) in {**BAD, **UNCHECKED}.items()}
    documents |= {name: bundle_bytes(bundle) for name, bundle in HARMLESS.items()}
    return documents | HOSTILE


def mutated_documents(count: int) -> Documents:
    """Return originals changed in all the ways of the campaign, seeded."""
    return {f"mutation {n}": data for n, (_, data) in enumerate(mutations(count, seed=SEED))}


def changed_characters(count: int) -> Documents:
    """Return originals with one character changed, seeded."""
    pairs = enumerate(campaign.changed_characters(count, seed=SEED))
    return {f"character {n}": data for n, (_, data) in pairs}


def forged_documents(count: int) -> Documents:
    """Return originals with a value changed and all signed again, seeded."""
    return {
        f"{forgery.path} {n}": _as_bytes(forgery.bundle)
        for n, forgery in enumerate(forgeries(count, seed=SEED))
    }


def json_documents() -> Documents:
    """Return what readers of JSON read in different ways, in a bundle and by itself."""
    good = bundle_bytes(GOOD).decode()
    documents = {text: _with_proof(good, text) for text in JSON_TEXTS}
    documents |= {f"{text} alone": text.encode() for text in JSON_TEXTS}
    documents["after it"] = f"{good} x".encode()
    documents["spaces around it"] = f" \r\n\t{good}\n".encode()
    documents["a byte order mark"] = f"\ufeff{good}".encode()
    documents["another space before it"] = f"\u00a0{good}".encode()
    documents["a surrogate in UTF-8"] = good.encode() + b"\xed\xa0\x80"
    assert "David Picard" in good
    documents["a text of 8 MB"] = good.replace("David Picard", "x" * 8_000_000).encode()
    most = MAX_VALUES - sum(map(good.count, ",[{"))
    documents["as many values as may be"] = _with_proof(good, "0" + ",0" * most)
    documents["one value more"] = _with_proof(good, "0" + ",0" * (most + 1))
    return documents


def large_documents() -> Documents:
    """Return good bundles with texts of megabytes in them, which exhaust careless patterns."""
    repeated = {
        ("links", "resolver"): ("https://a", "/a"),
        ("canonical_record", "metadata", "primary_cat"): ("a", "-a"),
        ("canonical_record", "source", "id"): ("a", "-a"),
        ("public_keys", 0, "url"): ("https://a", "/a"),
        ("events", 0, "signer", "signer_id"): ("<", "<>"),
        ("events", 1, "payload", "graph_snapshot", "paper", "title"): ("a", " b"),
        ("built_at",): ("2026", "0:"),
    }
    bundles = {}
    for path, (start, unit) in repeated.items():
        bundle = resigned(put(*path, start + unit * 4_000_000))
        bundles[f"megabytes in {path}"] = bundle_bytes(bundle)
    return bundles


def vector_calls() -> list[tuple[list[Any], Any]]:
    """Return calls of single rules (module, name, arguments), each with what the vectors say."""
    times, signatures, merges = (
        json.loads((TESTS / "vectors" / f"{name}.json").read_text())
        for name in ("times", "signatures", "merge")
    )
    message = {"hex": signatures["message_hex"]}
    number, keys, aliases = (
        merges[name] for name in ("pith_number", "public_keys", "source_aliases")
    )
    of = {"number": number, "publicKeys": keys, "sourceAliases": aliases}
    refused = [(entry["text"], None) for entry in times["refused"]]
    accepted = [(text, f"{text[:19]}.{text[20:-1] or '000000'}Z") for text in times["accepted"]]
    return [
        *((["verify/values.js", "instant", text], due) for text, due in refused + accepted),
        *(
            (["verify/signatures.js", "isSignedBy", key, message, signature], case["verifies"])
            for case in signatures["signatures"]
            for key in [{"hex": case["public_key_hex"]}]
            for signature in [{"hex": case["signature_hex"]}]
        ),
        *(
            (["verify/merge.js", "mergeEvents", case["events"], of], case["state"])
            for case in merges["cases"]
        ),
    ]


def differences(documents: Documents, reports: Sequence[Any]) -> list[tuple[str, Any, Any]]:
    """Return the documents on which the reports in JavaScript and in Python differ, and both."""
    assert len(reports) == len(documents)
    found = []
    for (name, data), report in zip(documents.items(), reports, strict=True):
        said = {
            **report,
            "unreadable": report["unreadable"] is not None,
            "checks": [[check["name"], check["outcome"]] for check in report["checks"]],
        }
        if said != (due := _by_python(data)):
            found.append((name, said, due))
    return found


def framed(documents: Documents) -> bytes:
    """Return all documents as one: of each four bytes of its length, the first most, and itself."""
    return b"".join(len(data).to_bytes(4) + data for data in documents.values())


def _by_python(data: bytes) -> dict[str, Any]:
    report = verify_bundle(data, PINNED)
    return {
        "pith_number": report.pith_number,
        "valid": report.valid,
        "trusted": report.trusted,
        "unreadable": bool(report.unreadable),
        "checks": [[check.name, check.outcome] for check in report.checks],
        "signers": [
            {"fingerprint": fingerprint(key), "public_key": encode_base64(key)}
            for key in sorted(report.signers)
        ],
    }


def _with_proof(good: str, text: str) -> bytes:
    return good.replace('"timestamp_proofs":[]', f'"timestamp_proofs":[{text}]').encode()


def _as_bytes(document: Any) -> bytes:
    return json.dumps(document).encode()
