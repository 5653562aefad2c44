"""The command `merge`: several copies of one paper's bundle become one new bundle."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flows.config import Config
from flows.errors import ConfigError
from flows.keys import load_issuer
from flows.steps import utc_now
from flows.terminal import echo
from transforms.bundle import bundle_bytes, unite
from transforms.strict_json import MAX_BYTES, read_json
from transforms.verify import verify_bundle


def merge_files(config: Config, paths: Sequence[Path], output: Path) -> None:
    """Unite the events of valid bundles of one record into `output`, signed by our key.

    A copy that is not valid is refused: what it holds could not be told from a forgery. Two
    signers' words against each other (equivocations) are kept, and shown on the screen.
    """
    issuer, _ = load_issuer(config.identity)
    bundles = [_read(path) for path in paths]
    try:
        united = unite(bundles, issuer=issuer, moment=utc_now())
    except ValueError as error:
        raise ConfigError(f"cannot merge: {error}") from None
    try:
        with output.open("xb") as file:
            file.write(bundle_bytes(united))
    except OSError as error:
        raise ConfigError(f"cannot write {output}: {error.strerror}") from None
    events = sum(len(bundle["events"]) for bundle in bundles)
    echo(f"{united['pith_number']}: {len(united['events'])} of {events} events are distinct")
    for entry in united["state"]["equivocations"]:
        echo(f"EQUIVOCATION by {entry['signer_id']}: {', '.join(entry['event_ids'])}")
    echo(f"wrote {output}")


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    report = verify_bundle(data, [])
    if not report.valid:
        failure = report.failure
        reason = f"{failure.name}: {failure.detail}" if failure else report.unreadable
        raise ConfigError(f"{path} is not a valid bundle: {reason}")
    bundle: dict[str, Any] = read_json(data)
    return bundle
