"""The output of `verify`: a line for each bundle, a summary, whom it trusted, an exit status."""

import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

from flows.cli.bundles.found import FoundBundle
from flows.cli.bundles.inputs import read_sources
from flows.cli.keys.trusted_keys import Trust, default_trust, named_trust
from flows.cli.output.answer import say
from flows.common.counts import counted
from flows.common.process.exit_status import ExitStatus
from flows.common.terminal import Line, Tone, echo, printable
from transforms.signing import encode_base64, fingerprint
from transforms.verify.text_hashes import TextHashes
from transforms.verify.verify import BundleReport, Check, Outcome, verify_bundle

_MAX_SHOWN = 400
_SHORT = 8
_MAX_STRANGERS = 20
"""Keys that are not trusted, of which the end tells: bundles of strangers may have thousands."""


class Form(StrEnum):
    """The amount of output: a line a bundle, only what is not good, every check, or JSON Lines."""

    LINES = "lines"
    QUIET = "quiet"
    VERBOSE = "verbose"
    JSON = "json"


class Status(StrEnum):
    """The verdict on one bundle, in one word."""

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
) -> ExitStatus:
    """Verify the bundles at `paths`, print what `form` asks for, and return the exit status.

    `trust` names keys: `pith.science`, `own` or base64; None means all that the user trusts.
    `config` is a configuration whose keys count as the user's own; see `own_trust`.
    """
    trusted = default_trust(config) if trust is None else named_trust(trust, config)
    texts = _texts(metadata)
    print_one = _PRINT[form]
    statuses: Counter[str] = Counter()
    signed: Counter[bytes] = Counter()
    for found in read_sources(paths):
        report = _verify(found, trusted, texts)
        status, without_metadata = status_of(report), _lacks_metadata(report)
        statuses[status] += 1
        statuses["no metadata"] += without_metadata
        signed.update(report.signers)
        if form is not Form.QUIET or status is not Status.TRUSTED or without_metadata:
            print_one(found, report, trusted)
    _print_summary(statuses, form)
    if form is not Form.JSON:
        _print_keys(signed, trusted, only_strangers=form is Form.QUIET)
    if statuses[Status.INVALID] or statuses[Status.UNTRUSTED]:
        return ExitStatus.PROBLEMS
    is_checked = not (statuses[Status.UNREADABLE] or statuses["no metadata"])
    return ExitStatus.DONE if is_checked else ExitStatus.UNUSABLE


_TONES = {
    Status.TRUSTED: Tone.GOOD,
    Status.UNTRUSTED: Tone.WARNING,
    Status.INVALID: Tone.BAD,
    Status.UNREADABLE: Tone.WARNING,
}
_OUTCOME_TONES = {
    Outcome.PASS: Tone.PLAIN,
    Outcome.FAIL: Tone.BAD,
    Outcome.UNCHECKED: Tone.WARNING,
}


def status_of(report: BundleReport) -> Status:
    """Return the one word for a report."""
    if report.unreadable:
        return Status.UNREADABLE
    if not report.valid:
        return Status.INVALID
    return Status.TRUSTED if report.trusted else Status.UNTRUSTED


def _verify(found: FoundBundle, trusted: Trust, texts: TextHashes | None) -> BundleReport:
    if found.data is None:
        return BundleReport(None, (), trusted=False, unreadable=found.unreadable)
    return verify_bundle(found.data, trusted, columns=found.columns, texts=texts)


def _texts(metadata: Path | None) -> TextHashes | None:
    if metadata is None:
        return None
    from flows.cli.bundles.metadata_file import read_texts

    texts, unusable = read_texts(metadata)
    if unusable:
        echo(f"{unusable} records of {metadata} cannot be used", err=True)
    return texts


def _missing(check: Check) -> bool:
    return check.name == "metadata" and check.outcome is Outcome.UNCHECKED


def _lacks_metadata(report: BundleReport) -> bool:
    return any(map(_missing, report.checks))


def _print_line(found: FoundBundle, report: BundleReport, trusted: Trust) -> None:
    where = found.path if found.row is None else f"{found.path} row {found.row}"
    tone = Tone.WARNING if _lacks_metadata(report) else _TONES[status_of(report)]
    _say(f"{_shown(_verdict(report, trusted))}  {_shown(where)}", tone)


def _verdict(report: BundleReport, trusted: Trust) -> str:
    if report.unreadable:
        return f"unreadable          {report.unreadable}"
    if report.failure:
        return f"INVALID             {report.failure.name}: {report.failure.detail}"
    # Of one that is not trusted, the keys that are the reason.
    keys = sorted(key for key in report.signers if report.trusted or key not in trusted)
    named = " ".join(fingerprint(key)[:_SHORT] for key in keys)
    missing = "".join(f"  {check.detail}" for check in report.checks if _missing(check))
    verdict = "valid, trusted  " if report.trusted else "valid, UNTRUSTED"
    return f"{verdict}    {report.pith_number}  key {named}{missing}"


def _print_checks(found: FoundBundle, report: BundleReport, trusted: Trust) -> None:
    _print_line(found, report, trusted)
    for check in report.checks:
        line = _shown(f"    {check.outcome:<16} {check.name:<18} {check.detail}".rstrip())
        _say(line, _OUTCOME_TONES[check.outcome])
    for key in sorted(report.signers):
        _say(_shown(f"    {'signed by':<16} {_described(key, trusted)}"))


def _described(key: bytes, trusted: Trust) -> str:
    reason = f"trusted: {trusted[key]}" if key in trusted else "not among the keys that you trust"
    return f"{fingerprint(key)}  {reason}"


def _print_keys(signed: Counter[bytes], trusted: Trust, *, only_strangers: bool) -> None:
    """Print of each key that signed a valid bundle why it is trusted, or that it is not."""
    strangers = sorted(signed.keys() - trusted.keys())
    shown = strangers[:_MAX_STRANGERS]
    if not only_strangers:
        shown += [key for key in trusted if key in signed]
    for key in shown:
        line = _shown(f"key {_described(key, trusted)}; signed in {signed[key]}")
        _say(line, Tone.PLAIN if key in trusted else Tone.WARNING)
    if len(strangers) > _MAX_STRANGERS:
        _say(f"and {len(strangers) - _MAX_STRANGERS} other keys that are not among yours")


def _print_json(found: FoundBundle, report: BundleReport, trusted: Trust) -> None:
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
            "signers": [
                {
                    "fingerprint": fingerprint(key),
                    "public_key": encode_base64(key),
                    "trusted": trusted.get(key),
                }
                for key in sorted(report.signers)
            ],
        }
    )


def _print_summary(statuses: Counter[str], form: Form) -> None:
    numbers = {
        "bundles": sum(statuses[status] for status in Status),
        "valid": statuses[Status.TRUSTED] + statuses[Status.UNTRUSTED],
        "trusted": statuses[Status.TRUSTED],
        "unreadable": statuses[Status.UNREADABLE],
        "without_metadata": statuses["no metadata"],
    }
    if form is Form.JSON:
        _echo_json({"summary": numbers})
        return
    # In a pipe it is for programs, and stays as it always was.
    bundles = counted(numbers["bundles"], "bundles") if sys.stdout.isatty() else "{bundles} bundles"
    line = f"{bundles}: {{valid}} valid, {{trusted}} trusted, {{unreadable}} unreadable"
    if statuses["no metadata"]:
        line += ", {without_metadata} not in the metadata"
    _say(line.format(**numbers), _worst(statuses))


def _worst(statuses: Counter[str]) -> Tone:
    """Return the tone of all bundles together."""
    if statuses[Status.INVALID] or statuses[Status.UNTRUSTED]:
        return Tone.BAD
    is_checked = not (statuses[Status.UNREADABLE] or statuses["no metadata"])
    return Tone.GOOD if is_checked else Tone.WARNING


def _say(line: str, tone: Tone = Tone.PLAIN) -> None:
    """Print one line at once, for a folder may have a million bundles; coloured on a terminal."""
    say([Line(line, tone)])


def _echo_json(value: dict[str, Any]) -> None:
    # ASCII only, so that no text of a bundle reaches the terminal as it is.
    echo(json.dumps(value))


def _shown(text: str) -> str:
    """Show what a hostile bundle says without its control characters, and not at any length."""
    return printable(text, _MAX_SHOWN)


_PRINT: dict[Form, Callable[[FoundBundle, BundleReport, Trust], None]] = {
    Form.LINES: _print_line,
    Form.QUIET: _print_line,
    Form.VERBOSE: _print_checks,
    Form.JSON: _print_json,
}
