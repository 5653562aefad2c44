"""The command `merge`: several copies of one paper's bundle become one new bundle."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.cli.options import ConfigOption
from flows.common.terminal import echo

if TYPE_CHECKING:
    from flows.common.config import Config
    from transforms.bundle.merge_bundles import MergedBundle
    from transforms.documents.bundle import Bundle
    from transforms.verify.verify import BundleReport


def merge(
    bundles: Annotated[
        list[Path],
        typer.Argument(readable=False, metavar="BUNDLE", help="Copies of one paper's bundle."),
    ],
    output: Annotated[
        Path, typer.Option(readable=False, metavar="FILE", help="Where to write the new bundle.")
    ],
    config: ConfigOption = None,
) -> None:
    """Unite the events of several copies of one paper's bundle in a new bundle.

    It is signed with your key; events of one signer that contradict each other are shown. Who you
    are is never read from the folder that this stands in.

    Examples:
        pith-ingest merge mine.json theirs.json --output merged.json
    """
    from flows.common.config import load_config
    from flows.common.errors import ConfigError
    from flows.common.files.config_file import refuse_prefects_files
    from flows.common.keys import in_secret

    own = load_config(config, here=False)
    if config is None and load_config().identity != own.identity:
        raise ConfigError(
            "config.yaml in this folder says who signs, and 'merge' takes that from no folder that "
            "it stands in; if the file is yours, say so with --config config.yaml"
        )
    if in_secret(own.identity):
        refuse_prefects_files()
    merge_files(own, bundles, output)


def merge_files(config: "Config", paths: Sequence[Path], output: Path) -> None:
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

    issuer = load_issuer(config.identity)
    bundles = [_read(path) for path in paths]
    own = own_keys(config.identity)
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
    _print(merged, bundles, own, output)


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
    import secrets

    from flows.common.errors import ConfigError

    unfinished = file.with_name(f".{file.name}.{secrets.token_hex(8)}.tmp")
    try:
        with unfinished.open("xb") as stream:
            try:
                stream.write(data)
                stream.flush()
                os.fsync(stream.fileno())
                file.hardlink_to(unfinished)
            finally:
                unfinished.unlink()
    except OSError as error:
        raise ConfigError(f"cannot write {file}: {error.strerror}") from None


def _print(
    merged: "MergedBundle", bundles: Sequence["Bundle"], own: set[bytes], output: Path
) -> None:
    """Print what was merged, and what its owner should look at."""
    bundle = merged.bundle
    events = sum(len(copy["events"]) for copy in bundles)
    echo(f"{bundle['pith_number']}: {len(bundle['events'])} of {events} events are distinct")
    by_key = Counter(event["signature"]["public_key_fingerprint"] for event in bundle["events"])
    for key in bundle["public_keys"]:
        count = by_key.pop(key["fingerprint_sha256_hex"], 0)
        if count and bytes.fromhex(key["public_key_hex"]) not in own:
            named = f"{key['key_id']}, {key['fingerprint_sha256_hex']}"
            echo(f"{count} of them signed by a key that is not yours: {named}")
    for entry in bundle["state"]["equivocations"]:
        echo(f"EQUIVOCATION by {entry['signer_id']}: {', '.join(entry['event_ids'])}")
    for note in merged.notes:
        echo(note)
    echo(f"wrote {output}")
