"""Attacks on bundles, seeded: how many are tried, caught and pass, and why each that passes should.

    python tests/campaign.py [MUTATIONS FORGERIES MERGES]

The numbers by default are 20,000, 300 and 100; `test_campaign.py` tries a few of each. The same
numbers give the same attacks. One that passes for no reason given here ends it with status 1.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import permutations
from pathlib import Path
from random import Random
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]  # it runs as a script, wherever one stands

from support.bundles.adversarial_copies import LATER, WORDS, copies  # noqa: E402
from support.bundles.forging import GOOD, Bundle, merge_again, restate, sign_bundle, sign_event  # noqa: E402
from support.bundles.signed_events import ISSUER, OTHER  # noqa: E402
from support.papers.golden_data import GOLDEN  # noqa: E402

from transforms import CanonicalError, bundle_bytes, canonical_json  # noqa: E402
from transforms.bundle.merge_bundles import CannotMergeError, merge_bundles  # noqa: E402
from transforms.encoding.strict_json import read_json  # noqa: E402
from transforms.verify.verify import verify_bundle  # noqa: E402

FULL = (20_000, 300, 100)
SEED = 12
VECTORS = ROOT / "tests" / "vectors"
CHARACTERS = 'abcdefABCDEF0123456789 "\\{}[],:-_./TZ\u00e9\n\x00'


@dataclass
class Tally:
    """What became of the attacks of one kind; `escaped` passed for no known reason."""

    tried: int = 0
    caught: Counter[str] = field(default_factory=Counter)
    passed: Counter[str] = field(default_factory=Counter)
    escaped: list[str] = field(default_factory=list)


def originals() -> list[bytes]:
    """Return the bundles that are mutated: published ones, the vectors', and one of the tests."""
    vectors = sorted(VECTORS.glob("*.bundle.json"))
    return [*(g.data for g in GOLDEN), *(f.read_bytes() for f in vectors), bundle_bytes(GOOD)]


# Mutations: whoever has no key changes a bundle file.


def mutations(count: int, seed: int = SEED) -> Iterator[tuple[bytes, bytes]]:
    """Yield originals and what was made of each."""
    sources, choose = originals(), Random(seed)
    for _ in range(count):
        original = choose.choice(sources)
        yield original, choose.choice(_MUTATIONS)(original, choose)


def changed_characters(count: int, seed: int = SEED) -> Iterator[tuple[bytes, bytes]]:
    """Yield originals and each with one character replaced, which may be by the same."""
    sources, choose = originals(), Random(seed)
    for _ in range(count):
        original = choose.choice(sources)
        yield original, _one_character(original, choose)


def why_a_mutation_may_pass(original: bytes, data: bytes) -> str | None:
    """Return why a changed file may be as valid as the original, or None if it may not."""
    first, second = read_json(original), read_json(data)
    if canonical_json(first) == canonical_json(second):
        return "the same document in another layout, which no hash covers"
    times = [bundle["bundle_signature"].pop("signed_at") for bundle in (first, second)]
    if canonical_json(first) == canonical_json(second) and times[0][:19] == times[1][:19]:
        return "another fraction of the second of bundle_signature.signed_at, not before an event's"
    return None


def _one_character(data: bytes, choose: Random) -> bytes:
    text = data.decode()
    at = choose.randrange(len(text))
    kind = "0123456789" if text[at].isdigit() and choose.random() < 0.5 else CHARACTERS
    return (text[:at] + choose.choice(kind) + text[at + 1 :]).encode()


def _pieces(data: bytes, choose: Random) -> bytes:
    """Cut a piece out, double it, put one in, or move one."""
    start = choose.randrange(len(data))
    stop = min(len(data), start + choose.randrange(1, 40))
    piece, rest = data[start:stop], data[:start] + data[stop:]
    at = choose.randrange(len(rest))
    return choose.choice(
        [
            rest,
            data[:stop] + data[start:],
            rest[:at] + piece + rest[at:],
            data[:start] + choose.randbytes(choose.randrange(1, 4)) + data[start:],
        ]
    )


def _value(data: bytes, choose: Random) -> bytes:
    """Replace a value anywhere by another of the same bundle, or by one of another type."""
    bundle = json.loads(data)
    path = choose.choice(places(bundle)[1:])
    put_at(bundle, path, choose.choice([_elsewhere(bundle, choose), *_ODD]))
    return bundle_text(bundle)


def _key(data: bytes, choose: Random) -> bytes:
    """Take a key away, rename it or add one, in any object."""
    bundle = json.loads(data)
    objects = [at for path in places(bundle) if isinstance(at := get_at(bundle, path), dict) and at]
    chosen = choose.choice(objects)
    name = choose.choice(list(chosen))
    value = chosen[name] if choose.random() < 0.3 else chosen.pop(name)
    if choose.random() < 0.6:
        chosen[choose.choice([name + "x", name.upper(), "extra"])] = value
    return bundle_text(bundle)


def _time(data: bytes, choose: Random) -> bytes:
    """Change a time by a little, where it stands."""
    text = data.decode()
    times = [match.span() for match in re.finditer(r"\d{4}-\d\d-\d\dT[\d:.]+Z", text)]
    start, stop = choose.choice([*times, times[-1]])
    at = choose.choice([i for i in range(start, stop) if text[i].isdigit()])
    return (text[:at] + choose.choice("0123456789") + text[at + 1 :]).encode()


def _layout(data: bytes, choose: Random) -> bytes:
    """Write the same document otherwise."""
    bundle = json.loads(data)
    shuffled = list(bundle.items())
    choose.shuffle(shuffled)
    indent = choose.choice([None, 1, 2])
    return json.dumps(dict(shuffled), indent=indent, ensure_ascii=choose.random() < 0.5).encode()


_MUTATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _one_character, _one_character, _pieces, _value, _key, _time, _layout,
)  # fmt: skip
_ODD: list[Any] = [
    None, True, False, 0, 1, -5, 10_000, 2**53, "", "x", "a\nb", [], {}, [None], {"a": 1},
    "9.9", "https://evil.example/", "javascript:alert(1)", "2999-01-01T00:00:00Z",
    "2019-06-26T02:54:26.000000Z", "sha256:" + "0" * 64, "0" * 64, "cs.LG",
]  # fmt: skip


# Forgeries: whoever has the key changes a bundle and signs everything again.


@dataclass(frozen=True)
class Forgery:
    """A bundle with another value somewhere, and what was signed again to hide that."""

    bundle: Bundle
    path: tuple[Any, ...]
    hidden_by: str


def forgeries(count: int, seed: int = SEED) -> Iterator[Forgery]:
    """Yield forged bundles; every hash and signature is right again where that can be done."""
    choose = Random(seed)
    paths = [path for path in places(GOOD)[1:] if path[0] not in {"state", "bundle_signature"}]
    for _ in range(count):
        path, bundle = choose.choice(paths), deepcopy(GOOD)
        old = get_at(bundle, path)
        put_at(bundle, path, choose.choice([_elsewhere(bundle, choose), *_ODD, *_close_to(old)]))
        hidden_by = _hidden_by(path)
        for repair in (_REPAIRS[hidden_by], sign_bundle):
            try:
                repair(bundle)
                break
            except (AttributeError, CanonicalError, KeyError, TypeError, ValueError):
                continue
        yield Forgery(bundle, path, hidden_by)


def why_a_forgery_may_pass(forgery: Forgery) -> str | None:
    """Return why a signer may say that, or None if no bundle may."""
    if canonical_json(_unsigned(forgery.bundle)) == canonical_json(_unsigned(GOOD)):
        return "derived again from the record, it is what it was"
    place = ".".join(str(step) for step in forgery.path)
    return next((reason for free, reason in FREE.items() if re.fullmatch(free, place)), None)


FREE = {
    r"events": "the same events in another order or twice: a state is of the set",
    r"public_keys\.\d\.(url|notes|rotates_at)": "what a signer says of the key",
    r"mirror_hints(\.\d(\.(name|status|base_url))?)?": "where copies are is the signer's to say",
    r"timestamp_proofs": "proofs of an unknown kind: the check says `could not check`",
    r"source_aliases\.\d\.created_at": "when an alias was given, up to the signature",
    r"events\.\d\.created_at": "when an event was made, up to the signature",
    r"events\.\d\.signature\.signed_at": "when an event was signed, up to the signature",
    r"events\.\d\.(supersedes(\.\d)?|prev_event)": "which event one replaces, if any is there",
    r"events\.\d\.signer\.signer_id": "the signer's name, which only the key's owner can deny",
    r"events\.\d\.payload\.graph_snapshot\.paper\.authors_text": "authors, as the signer saw them",
    r"events\.\d\.payload\.graph_snapshot\.paper\.headline": "a section of unknown form: unchecked",
    r"events\.\d\.payload\.graph_snapshot\.verdict(\..*)?": "a section of unknown form: unchecked",
    r"events\.\d\.payload\.verdict_id": "a section of unknown form: unchecked",
    r"events\.\d\.payload(\.\w+)?\.builder_version": "what built it",
    r"events\.\d\.payload\.receipt\.(last_reissued_at|first_computed_at|signed_at)":
        "the receipt's times, in their order",
    r"events\.\d\.payload\.graph_snapshot\.paper\.(title|abstract_excerpt)":
        "the same canonical text: other case or spaces",
    r"canonical_record\.metadata\.(license|primary_cat|cross_cats_sorted(\.\d)?|submitted_at)":
        "another record, with a number of its own: metadata are the signer's word",
    r"canonical_record\.source\.(id|version)":
        "another record, with a number of its own: metadata are the signer's word",
}  # fmt: skip
"""Which values a holder of the key can choose, and why no verifier can know better."""


def _sign_events(bundle: Bundle) -> None:
    for event in bundle["events"]:
        sign_event(event)
    merge_again(bundle)
    sign_bundle(bundle)


def _restate(bundle: Bundle) -> None:
    restate(bundle)
    _sign_events(bundle)


def _merge_and_sign(bundle: Bundle) -> None:
    merge_again(bundle)
    sign_bundle(bundle)


def _hidden_by(path: tuple[Any, ...]) -> str:
    """Return what a forger signs again, who changed what is at `path`."""
    if path[0] == "canonical_record":
        return "all that follows from the record"
    if path[0] != "events":
        return "state and the whole"
    return "state and the whole" if "signature" in path[2:3] else "events, state and the whole"


_REPAIRS: dict[str, Callable[[Bundle], None]] = {
    "state and the whole": _merge_and_sign,
    "events, state and the whole": _sign_events,
    "all that follows from the record": _restate,
}


def _close_to(old: Any) -> list[Any]:
    """Return values that look like the old one."""
    if isinstance(old, str):
        cut = old[:-1]
        return [
            old.upper(),
            f"{old} ",
            f" {old}",
            cut,
            f"{old}x",
            f"{cut}\n",
            old.replace("0", "1"),
        ]
    if isinstance(old, list):
        return [old[1:], old * 2, old[::-1]]
    if isinstance(old, dict):
        return [{**old, "x": 1}, dict(list(old.items())[1:])]
    return [old + 1, old - 1] if type(old) is int else []


def _unsigned(bundle: Bundle) -> Bundle:
    return {name: part for name, part in bundle.items() if name != "bundle_signature"}


# Merges: strangers write valid copies.


def merge_in_all_orders(seed: int) -> tuple[str, list[str]]:
    """Merge adversarial copies in all orders, groupings and repetitions.

    Returns what came of it and what is wrong with that, which should be nothing.
    """
    some = copies(seed)
    flat = {_merged(list(order)) for order in permutations(some)}
    grouped = {_merged_one_by_one(order) for order in permutations(some)}
    repeated = _merged(some * 2)
    result = next(iter(flat))
    wrong = []
    if len(flat | grouped | {repeated}) != 1:
        wrong.append(f"seed {seed}: the result depends on order, grouping or repetition")
    if isinstance(result, str):
        return "refused, naming the conflict", wrong
    report = verify_bundle(result, [])
    if not report.valid:
        wrong.append(f"seed {seed}: the result is not valid: {report.failure}")
    wrong += [f"seed {seed}: it holds {word!r}" for word in WORDS if word in result.decode()]
    return "one valid bundle without a stranger's word", wrong


def _merged(some: list[Bundle]) -> bytes | str:
    moment, trusted = LATER + timedelta(minutes=1), {OTHER.signer.public_key}
    try:
        merged = merge_bundles(some, issuer=ISSUER, moment=moment, trusted_keys=trusted)
    except CannotMergeError:
        return "refused"
    return bundle_bytes(merged.bundle)


def _merged_one_by_one(some: tuple[Bundle, ...]) -> bytes | str:
    first, *others = some
    result = _merged([first])
    for other in others:
        if isinstance(result, str):
            break
        result = _merged([json.loads(result), other])
    return result


# Values within documents.


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every value in a document, the whole first."""
    inner = (
        value.items() if isinstance(value, dict)
        else enumerate(value) if isinstance(value, list) else ()
    )  # fmt: skip
    return [path, *(found for key, item in inner for found in places(item, (*path, key)))]


def get_at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def put_at(value: Any, path: tuple[Any, ...], new: Any) -> None:
    get_at(value, path[:-1])[path[-1]] = new


def bundle_text(bundle: Any) -> bytes:
    return json.dumps(bundle, separators=(",", ":"), ensure_ascii=False).encode()


def _elsewhere(bundle: Any, choose: Random) -> Any:
    return deepcopy(get_at(bundle, choose.choice(places(bundle))))


# The campaign.


def try_mutations(count: int) -> Tally:
    tally = Tally()
    for original, data in mutations(count):
        tally.tried += 1
        report = verify_bundle(data, [])
        if not report.valid:
            tally.caught[report.failure.name if report.failure else "unreadable"] += 1
        elif reason := why_a_mutation_may_pass(original, data):
            tally.passed[reason] += 1
        else:
            tally.escaped.append(data.decode())
    return tally


def try_forgeries(count: int) -> Tally:
    tally = Tally()
    for forgery in forgeries(count):
        tally.tried += 1
        report = verify_bundle(bundle_text(forgery.bundle), [])
        if not report.valid:
            tally.caught[report.failure.name if report.failure else "unreadable"] += 1
        elif reason := why_a_forgery_may_pass(forgery):
            tally.passed[reason] += 1
        else:
            value = json.dumps(get_at(forgery.bundle, forgery.path))
            tally.escaped.append(f"{forgery.path} = {value:.200}, hidden by {forgery.hidden_by}")
    return tally


def try_merges(count: int) -> Tally:
    tally = Tally()
    for seed in range(count):
        tally.tried += 1
        outcome, wrong = merge_in_all_orders(seed)
        tally.passed[outcome] += 1
        tally.escaped += wrong
    return tally


def main(numbers: list[int]) -> int:
    """Print what became of each kind of attack; return the exit status."""
    kinds = {"mutations": try_mutations, "forgeries": try_forgeries, "merges": try_merges}
    escaped = 0
    for (kind, attack), count in zip(kinds.items(), numbers or FULL, strict=True):
        tally = attack(count)
        escaped += len(tally.escaped)
        caught, passed = tally.caught.total(), tally.passed.total()
        print(f"{kind}: {tally.tried} tried, {caught} caught, {passed} passed")
        for reason, times in tally.caught.most_common():
            print(f"    {times:6} caught by {reason}")
        for reason, times in tally.passed.most_common():
            print(f"    {times:6} passed: {reason}")
        for what in tally.escaped:
            print(f"    ESCAPED: {what}")
    return 1 if escaped else 0


if __name__ == "__main__":
    sys.exit(main([int(word) for word in sys.argv[1:]]))
