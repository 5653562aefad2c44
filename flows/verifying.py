"""The command `verify`: bundles in, one line each, a summary, an exit status."""

import json
from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from flows.bundle_sources import FoundBundle, read_sources
from flows.errors import ConfigError
from flows.terminal import echo, printable, quoted
from transforms.signing import PUBLIC_KEY_BYTES, decode_base64
from transforms.texts import TextHashes
from transforms.verify import PITH_SCIENCE_KEY, BundleReport, Check, Outcome, verify_bundle

ALL_GOOD, SOME_BAD, SOME_UNCHECKED = 0, 1, 2

_MAX_SHOWN = 400


class Form(StrEnum):
    """How much is printed: a line a bundle, only what is not good, every check, or JSON Lines."""

    LINES = "lines"
    QUIET = "quiet"
    VERBOSE = "verbose"
    JSON = "json"


class Status(StrEnum):
    """What one bundle is, in one word."""

    TRUSTED = "trusted"
    UNTRUSTED = "untrusted"
    INVALID = "invalid"
    UNREADABLE = "unreadable"


def print_reports(
    paths: Sequence[Path],
    *,
    trust: Sequence[str] | None,
    config: Path | None,
    metadata: Path | None,
    form: Form,
) -> int:
    """Verify the bundles at `paths`, print what `form` asks for, and return the exit status.

    `trust` names keys: `pith.science`, `own` or base64; None means the first two.
    """
    pinned = _pinned_keys(trust, config)
    texts = _texts(metadata)
    print_one = _PRINT[form]
    counted: Counter[str] = Counter()
    for found in read_sources(paths):
        report = _verify(found, pinned, texts)
        status, without_metadata = status_of(report), _lacks_metadata(report)
        counted[status] += 1
        counted["no metadata"] += without_metadata
        if form is not Form.QUIET or status is not Status.TRUSTED or without_metadata:
            print_one(found, report)
    _print_summary(counted, form)
    if counted[Status.INVALID] or counted[Status.UNTRUSTED]:
        return SOME_BAD
    return SOME_UNCHECKED if counted[Status.UNREADABLE] or counted["no metadata"] else ALL_GOOD


def status_of(report: BundleReport) -> Status:
    """Return the one word for a report."""
    if report.unreadable:
        return Status.UNREADABLE
    if not report.valid:
        return Status.INVALID
    return Status.TRUSTED if report.trusted else Status.UNTRUSTED


def _verify(found: FoundBundle, pinned: set[bytes], texts: TextHashes | None) -> BundleReport:
    if found.data is None:
        return BundleReport(None, (), trusted=False, unreadable=found.unreadable)
    return verify_bundle(found.data, pinned, columns=found.columns, texts=texts)


def _texts(metadata: Path | None) -> TextHashes | None:
    if metadata is None:
        return None
    from flows.metadata_file import read_texts  # noqa: PLC0415 - unpacks by pyarrow

    texts, unusable = read_texts(metadata)
    if unusable:
        echo(f"{unusable} records of {metadata} cannot be used", err=True)
    return texts


def _missing(check: Check) -> bool:
    return check.name == "metadata" and check.outcome is Outcome.UNCHECKED


def _lacks_metadata(report: BundleReport) -> bool:
    return any(map(_missing, report.checks))


def _print_line(found: FoundBundle, report: BundleReport) -> None:
    where = found.path if found.row is None else f"{found.path} row {found.row}"
    echo(f"{_shown(_verdict(report))}  {_shown(where)}")


def _verdict(report: BundleReport) -> str:
    if report.unreadable:
        return f"unreadable          {report.unreadable}"
    if report.failure:
        return f"INVALID             {report.failure.name}: {report.failure.detail}"
    missing = "".join(f"  {check.detail}" for check in report.checks if _missing(check))
    return (
        f"valid, {'trusted  ' if report.trusted else 'UNTRUSTED'}    {report.pith_number}{missing}"
    )


def _print_checks(found: FoundBundle, report: BundleReport) -> None:
    _print_line(found, report)
    for check in report.checks:
        echo(_shown(f"    {check.outcome:<16} {check.name:<18} {check.detail}".rstrip()))


def _print_json(found: FoundBundle, report: BundleReport) -> None:
    _echo_json(
        {
            "path": found.path,
            "row": found.row,
            "pith_number": report.pith_number,
            "valid": report.valid,
            "trusted": report.trusted,
            "status": status_of(report),
            "unreadable": report.unreadable or None,
            "checks": [
                {"name": check.name, "outcome": check.outcome, "detail": check.detail}
                for check in report.checks
            ],
        }
    )


def _print_summary(counted: Counter[str], form: Form) -> None:
    numbers = {
        "bundles": sum(counted[status] for status in Status),
        "valid": counted[Status.TRUSTED] + counted[Status.UNTRUSTED],
        "trusted": counted[Status.TRUSTED],
        "unreadable": counted[Status.UNREADABLE],
        "without_metadata": counted["no metadata"],
    }
    if form is Form.JSON:
        _echo_json({"summary": numbers})
        return
    line = "{bundles} bundles: {valid} valid, {trusted} trusted, {unreadable} unreadable"
    if counted["no metadata"]:
        line += ", {without_metadata} not in the metadata"
    echo(line.format(**numbers))


def _echo_json(value: dict[str, Any]) -> None:
    # ASCII only, so that no text of a bundle reaches the terminal as it is.
    echo(json.dumps(value))


def _shown(text: str) -> str:
    """Show what a hostile bundle says without its control characters, and not at any length."""
    return printable(text, _MAX_SHOWN)


_PRINT: dict[Form, Callable[[FoundBundle, BundleReport], None]] = {
    Form.LINES: _print_line,
    Form.QUIET: _print_line,
    Form.VERBOSE: _print_checks,
    Form.JSON: _print_json,
}


def _pinned_keys(trust: Sequence[str] | None, config: Path | None) -> set[bytes]:
    if trust is None:
        return _own_keys(config) | {PITH_SCIENCE_KEY}
    return {key for name in trust for key in _keys_of_name(name, config)}


def _own_keys(config: Path | None) -> set[bytes]:
    # The configuration takes most of the start, and who names the keys to trust needs none.
    from flows.config import load_config  # noqa: PLC0415
    from flows.keys import own_keys  # noqa: PLC0415

    return own_keys(load_config(config).identity)


def _keys_of_name(name: str, config: Path | None) -> set[bytes]:
    if name == "pith.science":
        return {PITH_SCIENCE_KEY}
    if name == "own":
        return _own_keys(config)
    try:
        return {decode_base64(name, PUBLIC_KEY_BYTES)}
    except ValueError:
        raise ConfigError(
            f"--trust {quoted(name)}: neither 'pith.science' nor 'own' nor a public key in base64"
        ) from None
