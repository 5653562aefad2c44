"""The command `merge`: several copies of one paper's bundle become one new bundle."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import ConfigOption, JsonOption
from flows.cli.output.answer import answer
from flows.cli.output.blocks import Block
from flows.common.counts import counted
from flows.common.terminal import Line, Tone

if TYPE_CHECKING:
    from flows.common.config import IdentityConfig
    from transforms.bundle.merge_bundles import MergedBundle
    from transforms.documents.bundle import Bundle
    from transforms.verify.verify import BundleReport


@dataclass(frozen=True, slots=True)
class OthersKey:
    """A key that is not ours, and how many events of the new bundle it signed."""

    key_id: str
    fingerprint: str
    events: int


@dataclass(frozen=True, slots=True)
class ContradictingEvents:
    """Events of one signer that contradict each other (an equivocation), by their ids."""

    signer_id: str
    event_ids: Sequence[str]


@dataclass(frozen=True, slots=True)
class WrittenBundle:
    """What `merge --json` prints: of how many events it was made, and what to look at."""

    output: Path
    pith_number: str
    events: int
    events_given: int
    signed_by_others: Sequence[OthersKey]
    equivocations: Sequence[ContradictingEvents]
    notes: Sequence[str]


def merge(
    bundles: Annotated[
        list[Path],
        typer.Argument(readable=False, metavar="BUNDLE", help="Copies of one paper's bundle."),
    ],
    *,
    output: Annotated[
        Path, typer.Option(readable=False, metavar="FILE", help="Where to write the new bundle.")
    ],
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Unite the events of several copies of one paper's bundle in a new bundle.

    It is signed with your key; events of one signer that contradict each other are shown. Who you
    are is never read from the folder that this stands in.

    Examples:
        pith-ingest merge mine.json theirs.json --output merged.json
    """
    from flows.common.config import load_identity
    from flows.common.errors import ConfigError
    from flows.common.files.config_file import refuse_prefects_files
    from flows.common.keys import in_secret

    own = load_identity(config, here=False)
    if config is None and load_identity() != own:
        raise ConfigError(
            "config.yaml in this folder says who signs, and 'merge' takes that from no folder that "
            "it stands in; if the file is yours, say so with --config config.yaml"
        )
    if in_secret(own):
        refuse_prefects_files()
    merge_files(own, bundles, output, as_json=as_json)


def merge_files(
    identity: "IdentityConfig", paths: Sequence[Path], output: Path, *, as_json: bool = False
) -> None:
    """Merge valid bundles of one record into `output`, signed by our key, or write nothing.

    A copy that is not valid is refused: what it holds could not be told from a forgery. Two
    signers' words against each other (equivocations) are kept, and shown on the screen.
    """
    from flows.cli.keys.trusted_keys import saved_keys
    from flows.common.errors import ConfigError
    from flows.common.keys import load_issuer, own_keys
    from flows.common.process.clock import utc_now
    from transforms.bundle.build import bundle_bytes
    from transforms.bundle.merge_bundles import CannotMergeError, merge_bundles
    from transforms.verify.verify import PITH_SCIENCE_KEY, verify_bundle

    issuer = load_issuer(identity)
    bundles = [_read(path) for path in paths]
    own = own_keys(identity)
    try:
        merged = merge_bundles(
            bundles,
            issuer=issuer,
            moment=utc_now(),
            own_keys=own,
            trusted_keys={PITH_SCIENCE_KEY, *(key.raw for key in saved_keys())},
        )
    except CannotMergeError as error:
        raise ConfigError(f"cannot merge: {error}") from None
    data = bundle_bytes(merged.bundle)
    report = verify_bundle(data, [])
    if not report.valid:
        raise ConfigError(f"cannot merge: the result is not valid: {_reason(report)}")
    _write_new(output, data)
    written = _described(merged, bundles, own, output)
    answer(written, _blocks(written), as_json=as_json)


def _read(path: Path) -> "Bundle":
    from flows.common.errors import ConfigError
    from flows.common.files.regular_file import open_regular
    from transforms.encoding.strict_json import MAX_BYTES, read_json
    from transforms.verify.verify import verify_bundle

    try:
        with os.fdopen(open_regular(path), "rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    report = verify_bundle(data, [])
    if not report.valid:
        raise ConfigError(f"{path} is not a valid bundle: {_reason(report)}")
    bundle: Bundle = read_json(data)
    return bundle


def _reason(report: "BundleReport") -> str:
    failure = report.failure
    return f"{failure.name}: {failure.detail}" if failure else report.unreadable


def _write_new(file: Path, data: bytes) -> None:
    """Write a file that is whole from its first moment, and never in the place of another."""
    from flows.common.errors import ConfigError
    from flows.common.files.whole_file import create_linked

    try:
        create_linked(file, data)
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}") from None


def _described(
    merged: "MergedBundle", bundles: Sequence["Bundle"], own: set[bytes], output: Path
) -> WrittenBundle:
    """Return what was merged, and what its owner should look at."""
    bundle = merged.bundle
    by_key = Counter(event["signature"]["public_key_fingerprint"] for event in bundle["events"])
    others = []
    for key in bundle["public_keys"]:
        count = by_key.pop(key["fingerprint_sha256_hex"], 0)
        if count and bytes.fromhex(key["public_key_hex"]) not in own:
            others.append(OthersKey(key["key_id"], key["fingerprint_sha256_hex"], count))
    return WrittenBundle(
        output=output,
        pith_number=bundle["pith_number"],
        events=len(bundle["events"]),
        events_given=sum(len(copy["events"]) for copy in bundles),
        signed_by_others=others,
        equivocations=[
            ContradictingEvents(entry["signer_id"], entry["event_ids"])
            for entry in bundle["state"]["equivocations"]
        ],
        notes=merged.notes,
    )


def _blocks(written: WrittenBundle) -> Iterator[Block]:
    given = counted(written.events_given, "events are", "event is")
    distinct = f"{written.events:,} of {given} distinct"
    yield Line(f"{written.pith_number}: {distinct}")
    for key in written.signed_by_others:
        named = f"{key.key_id}, {key.fingerprint}"
        yield Line(f"{key.events} of them signed by a key that is not yours: {named}")
    for one in written.equivocations:
        ids = ", ".join(one.event_ids)
        yield Line(f"EQUIVOCATION by {one.signer_id}: {ids}", Tone.WARNING)
    yield from map(Line, written.notes)
    yield Line(f"wrote {written.output}", Tone.GOOD)
