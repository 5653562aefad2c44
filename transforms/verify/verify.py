"""Verifying a bundle offline (spec, section 7).

Two answers, reported apart: *valid*, everything recomputes and every signature verifies under the
bundle's own keys; *trusted*, those keys are among the ones that the verifier brought along.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from transforms.documents.bundle import Bundle, Document
from transforms.encoding.canonical import CanonicalError
from transforms.encoding.strict_json import NotStrictJsonError, read_json
from transforms.signing import PUBLIC_KEY_BYTES, decode_base64
from transforms.verify.checks import CHECKS, columns_check, metadata_check
from transforms.verify.subject import FailedError, Subject, UncheckedError
from transforms.verify.text_hashes import TextHashes

PITH_SCIENCE_KEY = decode_base64("stVStoiQhXFxp4s2pdzPNoqVNBMojDU/fJ2db5S3CbM=", PUBLIC_KEY_BYTES)
"""The published key of pith.science (spec, section 7)."""

_MAX_DETAIL = 300

_Checks = Sequence[tuple[str, Callable[[Subject], None]]]


class BadBundleError(ValueError):
    """Bytes that are no valid bundle; the message names the first check that failed."""


class Outcome(StrEnum):
    """The outcome of a check."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    UNCHECKED = "could not check"


@dataclass(frozen=True, slots=True)
class Check:
    """One named check of a bundle; `detail` says what is wrong, or why it could not be checked."""

    name: str
    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class BundleReport:
    """The findings of verifying one bundle; `checks` is empty where it could not be read.

    `signers` are the raw public keys of all signatures in a valid bundle.
    """

    pith_number: str | None
    checks: tuple[Check, ...]
    trusted: bool
    unreadable: str = ""
    signers: frozenset[bytes] = frozenset()

    @property
    def valid(self) -> bool:
        """True where the bundle was read and no check failed."""
        return not self.unreadable and self.failure is None

    @property
    def failure(self) -> Check | None:
        """The first check that failed."""
        return next((check for check in self.checks if check.outcome is Outcome.FAIL), None)


def verify_bundle(
    data: bytes,
    pinned: Collection[bytes],
    *,
    columns: Mapping[str, object] | None = None,
    texts: TextHashes | None = None,
) -> BundleReport:
    """Return how the bytes of a bundle file hold against the rules, and its keys against `pinned`.

    `pinned` holds the raw 32-byte public keys that the verifier trusts. `columns`, what a table's
    row says beside the bundle (`pith_number`, `canonical_sha256`, `bundle_sha256`), and `texts`,
    what arXiv says, add a check each. Any input gives a report, in time and memory bounded by
    `strict_json.MAX_BYTES`; nothing is raised for a bad bundle.
    """
    try:
        bundle = _read(data)
    except BadBundleError as error:
        return BundleReport(None, (), trusted=False, unreadable=str(error))
    due = [*CHECKS]
    if columns is not None:
        due.append(("columns", columns_check(columns)))
    if texts is not None:
        due.append(("metadata", metadata_check(texts)))
    return _examined(bundle, due, pinned)


def read_verified(data: bytes) -> Bundle:
    """Return the bundle in the bytes of a bundle file; raises `BadBundleError` unless it is valid.

    Who signed it is not asked: see `verify_bundle`.
    """
    bundle = _read(data)
    if failure := _examined(bundle, CHECKS, ()).failure:
        raise BadBundleError(f"{failure.name}: {failure.detail}")
    return cast("Bundle", bundle)


def _read(data: bytes) -> Document:
    try:
        value = read_json(data)
    except NotStrictJsonError as error:
        raise BadBundleError(str(error)) from None
    if not isinstance(value, dict) or value.get("bundle_type") != "pith_open_graph_bundle":
        raise BadBundleError("JSON, but not a Pith bundle")
    return value


def _examined(bundle: Document, due: _Checks, pinned: Collection[bytes]) -> BundleReport:
    number = bundle.get("pith_number")
    number = number if isinstance(number, str) else None
    try:
        subject = Subject(bundle)
    except CanonicalError as error:
        return BundleReport(number, _unhashable(error, due), trusted=False)
    checks = (_PASSED["canonical_json"], *[_run(name, check, subject) for name, check in due])
    valid = Outcome.FAIL not in [check.outcome for check in checks]
    signers = frozenset(subject.signing_keys() if valid else ())
    trusted = valid and all(key in pinned for key in signers)
    return BundleReport(number, checks, trusted=trusted, signers=signers)


def _unhashable(error: CanonicalError, due: _Checks) -> tuple[Check, ...]:
    """Return the checks of a document without canonical JSON: no other one can be made."""
    failed = Check("canonical_json", Outcome.FAIL, _cut(str(error)))
    return (failed, *[Check(name, Outcome.UNCHECKED, "not canonical JSON") for name, _ in due])


def _run(name: str, check: Callable[[Subject], None], subject: Subject) -> Check:
    try:
        check(subject)
    except (FailedError, CanonicalError) as error:
        return Check(name, Outcome.FAIL, _cut(str(error)))
    except UncheckedError as error:
        return Check(name, Outcome.UNCHECKED, _cut(str(error)))
    return _PASSED[name]


def _cut(detail: str) -> str:
    """Return `detail` cut short: it may repeat a hostile text of megabytes."""
    return detail if len(detail) <= _MAX_DETAIL else f"{detail[:_MAX_DETAIL]}…"


_PASSED = {
    name: Check(name, Outcome.PASS)
    for name in ("canonical_json", *(name for name, _ in CHECKS), "columns", "metadata")
}
