"""Write the test vectors of `tests/vectors/`: the same bytes at every run.

    python tests/support/bundles/make_vectors.py [FOLDER]

The files are ASCII JSON (other characters escaped), so that no editor or platform changes them.
"""

import base64
import json
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]  # it runs as a script, wherever one stands

from support.bundles.rule_vectors import rule_vectors  # noqa: E402
from transforms import (  # noqa: E402
    Ed25519Signer,
    Identity,
    Issuer,
    Paper,
    authors_text,
    bundle_bytes,
)
from transforms.bundle.build import IssueTimes, draft, issue  # noqa: E402
from transforms.bundle.events import UNHASHED  # noqa: E402
from transforms.bundle.later_events import append_snapshot  # noqa: E402
from transforms.encoding.canonical import MAX_DEPTH, canonical_json, canonical_text  # noqa: E402
from transforms.encoding.digest import sha256  # noqa: E402
from transforms.encoding.timestamps import to_micros, to_seconds  # noqa: E402
from transforms.paper.paper import make_paper, make_version  # noqa: E402
from transforms.signing import fingerprint, public_key_document  # noqa: E402

FOLDER = ROOT / "tests" / "vectors"
SEED = bytes(range(1, 33))
IDENTITY = Identity(
    signer_id="vectors.invalid",
    base_url="https://vectors.invalid",
    resolver_name="Resolver of the test vectors",
    key_id="vectors-1",
    key_url="https://vectors.invalid/pith-signing-key.json",
    key_notes="Anyone has this key: it signs test vectors and nothing else.",
    builder_version="test-vectors-2",
)
ISSUER = Issuer(IDENTITY, Ed25519Signer(SEED))
COMPUTED_AT = datetime(2026, 1, 2, 3, 4, 5, 999999, tzinfo=UTC)
LATER = datetime(2026, 2, 3, 4, 5, 6, 7, tzinfo=UTC)
TIMES = IssueTimes(
    computed_at=COMPUTED_AT,
    receipt_signed_at=COMPUTED_AT + timedelta(microseconds=1),
    aliased_at=COMPUTED_AT + timedelta(seconds=2),
    shortened_at=COMPUTED_AT + timedelta(seconds=3),
    record_signed_at=COMPUTED_AT + timedelta(seconds=4, microseconds=1),
    snapshot_signed_at=COMPUTED_AT + timedelta(seconds=5, microseconds=2),
    built_at=COMPUTED_AT + timedelta(seconds=6, microseconds=3),
)

PLAIN: dict[str, Any] = {
    "arxiv_id": "2401.00001",
    "versions": [["v1", "Mon, 1 Jan 2024 00:00:00 GMT"]],
    "title": "An Invented Paper",
    "abstract": "It says   little, and it says so\nin two lines.",
    "authors": "Ada Example, Bob Sample and Carl de la Muestra",
    "categories": "cs.LG",
    "license_url": "http://creativecommons.org/licenses/by/4.0/",
}
_PARAGRAPH = r"We bound $\|x\|_2 \le C\,\epsilon^{-2}$ for {\L}ukasiewicz logics \& more. "
TEX: dict[str, Any] = {
    "arxiv_id": "1912.12345",
    "versions": [
        ["v1", "Tue, 31 Dec 2019 23:59:59 GMT"],
        ["v2", "Wed, 01 Jan 2020 00:00:00 GMT"],
        ["v4", "Sat, 29 Feb 2020 12:00:00 GMT"],
    ],
    "title": "On Schr\\\"odinger's\n  $SU(2)$ Equation:  {\\L}UKASIEWICZ Revisited\n",
    "abstract": "\n  First paragraph, hard-wrapped\nby an old reply.\n  "
    + _PARAGRAPH * 9
    + "\n  Last paragraph.\n",
    "authors": "J. Mu\\~noz (1), Z. {\\L}ukasz ((1) Dept. of X, (2) Y), the (ABC) Team\n and A. B",
    "categories": "hep-th stat.ML math.MP cs.IT math-ph",
    "license_url": "http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
}
NON_ASCII: dict[str, Any] = {
    "arxiv_id": "math/0410603",
    "versions": [["v1", "Thu, 28 Oct 2004 09:08:07 GMT"]],
    "title": "ÉTUDES sur les ΣΟΦΟΣ: cafe\u0301, \u212b, ﬁn, İ, \U0001d516, 王小明",
    "abstract": "A mis-decoded dash â€“ stays; so do U+007F \u007f and U+200B \u200b.\u00a0End",
    "authors": "Zoë Beispiel, Łukasz Przykład, 王小明",
    "categories": "math.AG",
    "license_url": None,
}
PAPERS = {"plain": PLAIN, "tex": TEX, "non-ascii": NON_ASCII}

TEXTS = [
    "Already canonical? Not yet", "", " \t\r\n ", "  two  spaces\tand\n\nlines ",
    "a\x1cb\x1dc\x1ed\x1fe\x0bf\x0cg\x85h",
    "no\u00a0break em\u2003space \u2028line \u2029par \u202f \u205f \u3000end\u1680",
    "zero\u200bwidth and \ufeffmark stay", "\x00 and \x7f stay", 'Schr\\"odinger $M = 2$ {\\L}',
    "cafe\u0301 and caf\u00e9 differ", "ΑΣ ΑΣΑ Σ", "İstanbul", "STRASSE Straße ẞ",
    "\u212a \u212b Ǆ", "\u13a0 \uab70", "\U0001d516 𐐀 😀", "ﬁ Ⅷ", "â€“",
]  # fmt: skip
REFUSED_TEXTS = ["\ud800", "a \udc00 b", "\udfff\ud800"]

AUTHORS = [
    "Ada Example", "", " \t\n ", "Bob  Sample,\n  Ada\tExample", "B. Two,A. One,, C. Three ,",
    "A. One, B. Two, and C. Three and D. Four", "W. George (LIX, GRACE)",
    "B. Two (1 and 2), A. One (1) ((1) Dept. of X and Y, Z, (2) W)", "A. One (1), B, A. One (1)",
    "\\v{Z}. X, V. Y, {\\L}. Z, Vw", "J. Sorce, J.M. Bert, J. Love, C. W. Stub, C. Waters",
    "X; Y & Z: U. V", "B, a, A, b", "J. De La, J. de la, j. De la, J. de La", "A-B, A B, A.B",
    "b, 10, 9, A, (2) C", "Zo\u00eb, Zob, \u00c9. A, \u738b\u5c0f\u660e, \u0141. A",
    "$\\alpha$, Alpha", "\u212aelvin, Kelvin, elvin", "A.\u00a0One\u2003and\x1cB. Two",
    "zero\u200bwidth, zerowidti", "and A. One and and B. Two and", "A. One,and B. Two and,C. Three",
    "Anders Brand, Sand and Landau", "A AND B", "(and B)", "and",
]  # fmt: skip

DEEPEST = "[" * MAX_DEPTH + "]" * MAX_DEPTH
DOCUMENTS = [
    "null", "true", " [ ] ", "{}", "0", "-0", "9007199254740992", "-9007199254740992",
    '{"b":1,"a":{"d":[3,1,2],"c":null},"B":2,"a b":3,"_":4,"":5}', '"/ \\/ \\u002f"',
    '"\\u0000\\u0008\\t\\n\\u000b\\f\\r\\u001f \\"\\\\ \\u007f"', '"\\u2028\\u2029\\u00a0\\ufeff"',
    '"\\u00e9 e\\u0301 \\ud83d\\ude00 <>&"', DEEPEST,
]  # fmt: skip
REFUSED_DOCUMENTS = {
    "1.0": "a number that is not written as an integer",
    "1e2": "likewise",
    "-0.0": "likewise",
    "NaN": "not JSON",
    "Infinity": "not JSON",
    "9007199254740993": "beyond 2^53",
    "-9007199254740993": "beyond 2^53",
    "123456789012345678901234567890": "beyond 2^53",
    '{"\\u00e9":1}': "a key that is not ASCII",
    '"\\ud800"': "a lone surrogate",
    '["\\udc00\\ud800"]': "likewise",
    '{"a":1,"a":1}': "the same key twice",
    f"[{DEEPEST}]": f"nested deeper than {MAX_DEPTH} levels",
    "": "empty",
    '{"a":1}x': "something after the value",
    "{'a':1}": "not JSON",
}


def make_all() -> dict[str, bytes]:
    """Return every file of the vectors: its name in the folder, and its bytes."""
    made: dict[str, Any] = {
        "key.json": _key(),
        "text.json": _texts(),
        "canonical-json.json": _documents(),
        "authors.json": {
            "authors": [{"input": text, "authors_text": authors_text(text)} for text in AUTHORS]
        },
        **rule_vectors(ISSUER),
    }
    bundles = {}
    for name, fields in PAPERS.items():
        paper = _paper(fields)
        bundles[name] = issue(draft(paper), issuer=ISSUER, times=TIMES)
        made[f"{name}.json"] = _stages(fields, paper, bundles[name], _times(TIMES))
    later = {**PLAIN, "authors": "Ada B. Example, Bob Sample"}
    paper = _paper(later)
    bundles["later-snapshot"] = append_snapshot(
        bundles["plain"], draft(paper), issuer=ISSUER, moment=LATER
    )
    times = {"appended_at": to_micros(LATER)}
    made["later-snapshot.json"] = _stages(later, paper, bundles["later-snapshot"], times)
    return {
        **{name: _ascii(value) for name, value in made.items()},
        **{f"{name}.bundle.json": bundle_bytes(bundle) for name, bundle in bundles.items()},
    }


def _ascii(value: object) -> bytes:
    return (json.dumps(value, indent=1) + "\n").encode("ascii")


def _hashed(canonical: bytes) -> dict[str, str]:
    return {
        "canonical": canonical.decode(),
        "utf8_hex": canonical.hex(),
        "sha256": sha256(canonical).hex(),
    }


def _key() -> dict[str, Any]:
    public_key = ISSUER.signer.public_key
    return {
        "seed_hex": SEED.hex(),
        "public_key_hex": public_key.hex(),
        "public_key_sha256": sha256(public_key).hex(),
        "fingerprint": fingerprint(public_key),
        "document": public_key_document(public_key, IDENTITY),
        "identity": {name: getattr(IDENTITY, name) for name in IDENTITY.__slots__},
    }


def _texts() -> dict[str, Any]:
    hashed = [{"input": text, **_hashed(canonical_text(text).encode())} for text in TEXTS]
    return {"texts": hashed, "refused": REFUSED_TEXTS}


def _documents() -> dict[str, Any]:
    hashed = [{"json": text, **_hashed(canonical_json(json.loads(text)))} for text in DOCUMENTS]
    refused = [{"json": text, "reason": reason} for text, reason in REFUSED_DOCUMENTS.items()]
    return {"documents": hashed, "refused": refused}


def _paper(fields: dict[str, Any]) -> Paper:
    versions = [make_version(name, created) for name, created in fields["versions"]]
    return make_paper(**{**fields, "versions": versions})


def _times(times: IssueTimes) -> dict[str, str]:
    """Write each time as it stands in the bundle: cut to the second, or with microseconds."""
    form: dict[str, Callable[[datetime], str]] = {
        "aliased_at": to_seconds,
        "shortened_at": to_seconds,
    }
    return {name: form.get(name, to_micros)(getattr(times, name)) for name in IssueTimes.__slots__}


def _stages(
    fields: dict[str, Any], paper: Paper, bundle: Any, times: dict[str, str]
) -> dict[str, Any]:
    return {
        "input": fields,
        "times": times,
        "cleaned": {
            "title": paper.title,
            "abstract": paper.abstract,
            "authors": paper.authors,
            "authors_text": authors_text(paper.authors),
        },
        "canonical_title": _hashed(canonical_text(paper.title).encode()),
        "canonical_abstract": _hashed(canonical_text(paper.abstract).encode()),
        "record": _record(bundle),
        "receipt": bundle["events"][0]["payload"]["receipt"],
        "events": [_event(event) for event in bundle["events"]],
        "state": _without(bundle["state"], "state_sha256"),
        "bundle": {
            **_without(bundle, "bundle_signature"),
            "signature_b64": bundle["bundle_signature"]["signature_b64"],
            "file_sha256": sha256(bundle_bytes(bundle)).hex(),
        },
    }


def _without(value: dict[str, Any], *left_out: str) -> dict[str, str]:
    """Return the canonical JSON of all of an object but some keys, and its hash."""
    hashed = canonical_json({key: item for key, item in value.items() if key not in left_out})
    return {"hashed": hashed.decode(), "sha256": sha256(hashed).hex()}


def _record(bundle: dict[str, Any]) -> dict[str, Any]:
    digest = bytes.fromhex(bundle["canonical_sha256"])
    return {
        **_hashed(canonical_json(bundle["canonical_record"])),
        "base32": base64.b32encode(digest).decode(),
        "suffix": bundle["pith_number"].split(":")[2],
        "pith_number": bundle["pith_number"],
        "short_pith_number": bundle["short_pith_number"],
        "source_aliases": bundle["source_aliases"],
    }


def _event(event: dict[str, Any]) -> dict[str, Any]:
    return {
        **_without(event, *UNHASHED),
        "event_id": event["event_id"],
        "signature_b64": event["signature"]["signature_b64"],
        "event": event,
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if sys.argv[1:] else FOLDER
    for file_name, data in make_all().items():
        (folder / file_name).write_bytes(data)
