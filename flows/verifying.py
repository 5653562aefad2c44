"""The command `verify`: bundle files in, one line each, an exit status."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import typer

from flows.config import load_config
from flows.errors import ConfigError
from flows.keys import own_keys
from transforms.signing import PUBLIC_KEY_BYTES, decode_base64
from transforms.strict_json import MAX_BYTES
from transforms.verify import PITH_SCIENCE_KEY, BundleReport, verify_bundle

ALL_GOOD, SOME_BAD, SOME_UNREADABLE = 0, 1, 2


def print_reports(paths: Sequence[Path], trust: Sequence[str] | None, config: Path | None) -> int:
    """Verify the bundles at `paths`, print a line for each and a summary; return the exit status.

    `trust` names keys: `pith.science`, `own` or base64; None means the first two.
    """
    pinned = _pinned_keys(trust, config)
    valid = trusted = unreadable = total = 0
    for path in _bundle_files(paths):
        report = _verify_file(path, pinned)
        total += 1
        valid += report.valid
        trusted += report.trusted
        unreadable += bool(report.unreadable)
        typer.echo(f"{_verdict(report)}  {path}")
    typer.echo(f"{total} bundles: {valid} valid, {trusted} trusted, {unreadable} unreadable")
    if trusted == total:
        return ALL_GOOD
    return SOME_UNREADABLE if trusted + unreadable == total else SOME_BAD


def _verdict(report: BundleReport) -> str:
    if report.unreadable:
        return f"unreadable          {report.unreadable}"
    if report.failure:
        return f"INVALID             {report.failure.name}: {report.failure.detail}"
    return f"valid, {'trusted  ' if report.trusted else 'UNTRUSTED'}    {report.pith_number}"


def _verify_file(path: Path, pinned: set[bytes]) -> BundleReport:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return BundleReport(None, (), trusted=False, unreadable=error.strerror or str(error))
    return verify_bundle(data, pinned)


def _bundle_files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        inside = sorted(path.rglob("*.json"))
        if not inside:
            raise ConfigError(f"{path} holds no bundles (*.json)")
        yield from inside


def _pinned_keys(trust: Sequence[str] | None, config: Path | None) -> set[bytes]:
    if trust is None:
        return own_keys(load_config(config).identity) | {PITH_SCIENCE_KEY}
    return {key for name in trust for key in _keys_of_name(name, config)}


def _keys_of_name(name: str, config: Path | None) -> set[bytes]:
    if name == "pith.science":
        return {PITH_SCIENCE_KEY}
    if name == "own":
        return own_keys(load_config(config).identity)
    try:
        return {decode_base64(name, PUBLIC_KEY_BYTES)}
    except ValueError:
        raise ConfigError(
            f"--trust {name!r}: neither 'pith.science' nor 'own' nor a public key in base64"
        ) from None
