"""Examining a whole data folder, everything against everything, and repairing it."""

import os
import secrets
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass, field
from datetime import timedelta

from flows.common.config import Config
from flows.common.counts import counted
from flows.common.keys import has_key, load_issuer, own_keys
from flows.common.process.clock import SteadyClock, utc_now
from flows.common.process.progress import track
from flows.store.bundles.reader import find_bundles
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.copies import coordinating
from flows.store.catalog.file import end_changes
from flows.store.files.local import writing
from flows.store.layout import Layout
from flows.store.ledger import Head
from flows.store.repair.examine import (
    Fault,
    Findings,
    find_missing_bundle_files,
    look,
    look_at_bundle_files,
    look_at_replies,
)
from flows.store.repair.full_check import Expected, ShardCheck, check_shards, find_bad_replies
from flows.store.repair.inspection import require_shard
from flows.store.repair.repair import Repair
from flows.store.repair.rescue import Rescuer


@dataclass(slots=True)
class Examination:
    """A data folder as the doctor found it; `lost_replies` and `bundle_files` name what to mend.

    `records` counts the bundles that were read, if they were, and `untrusted` those that are not of
    our keys.
    """

    findings: Findings
    lost_replies: list[str] = field(default_factory=list)
    bundle_files: set[str] = field(default_factory=set)
    records: int = 0
    untrusted: int = 0


def examine(layout: Layout, config: Config, *, full: bool) -> Examination:
    """Check a data folder; `full` reads and verifies all that lies in it."""
    findings = look(layout)
    found = Examination(findings)
    found.lost_replies = look_at_replies(layout, findings)
    if full:
        _read_all(config, layout, found)
    elif config.outputs.bundle_files == "all" and findings.catalog_problem is None:
        look_at_bundle_files(layout, findings)
    return found


def _read_all(config: Config, layout: Layout, found: Examination) -> None:
    findings, files = found.findings, layout.files
    wrong = {one.key for one in findings.wrong}
    entries = [
        entry for entry in findings.committed.shards.values()
        if not wrong & {file.key for file in entry.files}
    ]  # fmt: skip
    expected = Expected(
        keys=frozenset(own_keys(config.identity)),
        order={entry.shard: entry.number for entry in entries},
        catalog=findings.catalog_problem is None,
        bundle_files=config.outputs.bundle_files == "all",
    )
    workers = config.workers or len(os.sched_getaffinity(0))
    checks = check_shards(layout, entries, expected, workers)
    for check in track(checks, total=len(entries), what="shards"):
        _add_check(layout, found, check)
    replies = {sha256 for written in findings.entries for sha256 in written.entry.replies}
    known = {*found.lost_replies, *findings.lost}
    for key, problem in find_bad_replies(layout, replies):
        if key not in known:
            found.lost_replies.append(key)
            findings.faults.append(Fault(files.location(key), problem))


def _add_check(layout: Layout, found: Examination, check: ShardCheck) -> None:
    """Add what reading one shard found."""
    findings, files = found.findings, layout.files
    found.records += check.records
    findings.wrong += check.wrong
    findings.faults += [Fault(files.location(one.key), one.problem) for one in check.wrong]
    found.bundle_files.update(check.bundle_files)
    findings.faults += [
        Fault(files.location(layout.bundle(number)), "is not the bundle that the tables hold")
        for number in check.bundle_files
    ]
    findings.faults += [
        Fault(f"the bundle {number} in {check.shard}", "does not verify")
        for number in check.bad_bundles
    ]
    found.untrusted += check.untrusted
    if check.unknown:
        findings.catalog_problem = f"does not know {check.unknown[0]} as the tables do"
        findings.faults.append(Fault(str(layout.catalog), findings.catalog_problem))


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the doctor says of a data folder; `mended` is what was done before, if it was asked to.

    `untrusted` bundles are valid, but not of our keys; none are read but in a full examination.
    """

    folder: str
    commits: int
    shards: int
    bundles_read: int
    untrusted: int
    notices: list[str]
    faults: list[Fault]
    mended: list[str]


def diagnosis(layout: Layout, found: Examination, mended: list[str]) -> Diagnosis:
    """Return what was found."""
    findings = found.findings
    return Diagnosis(
        folder=layout.location,
        commits=len(findings.entries),
        shards=len(findings.committed.shards),
        bundles_read=found.records,
        untrusted=found.untrusted,
        notices=findings.notices,
        faults=findings.faults,
        mended=mended,
    )


def repair_folder(
    layout: Layout, config: Config, *, full: bool, say: Callable[[str], None]
) -> None:
    """Mend what is wrong with a data folder; `say` gets each thing that was done."""
    run = f"{utc_now():%Y%m%dT%H%M%SZ}-doctor-{secrets.token_hex(2)}"
    with coordinating(layout, "doctor") as coordinator, writing(layout.root):
        if coordinator:
            coordinator.take_newer()
        found = examine(layout, config, full=full)
        head = Head.of(found.findings.entries[-1]) if found.findings.entries else Head()
        tolerance = timedelta(seconds=config.clock_tolerance_seconds)
        clock = SteadyClock(utc_now, head.moment, tolerance)
        issuer = load_issuer(config.identity) if has_key(config.identity) else None
        keys = frozenset(own_keys(config.identity))
        mending = Repair(layout, found.findings, Rescuer(layout, keys, issuer, clock()), run)
        try:
            mending.mend(found.lost_replies)
        finally:
            for sentence in mending.done:
                say(sentence)
        if config.outputs.bundle_files == "all":
            written = _write_bundle_files(layout, found.bundle_files)
            if written:
                say(f"wrote {counted(written, 'bundle files')} again")
        with suppress(OSError):
            end_changes(layout.catalog)
        if coordinator:
            coordinator.publish(anyway=True)


def _write_bundle_files(layout: Layout, differing: set[str]) -> int:
    """Write the bundle files that are gone, empty or named, from the shards; return how many."""
    with closing(Catalog.open(layout.catalog, read_only=True)) as catalog:
        due = set(differing)
        for _, numbers in find_missing_bundle_files(layout, catalog):
            due.update(numbers)
        by_shard: dict[str, list[str]] = {}
        for record in catalog.known(due).values():
            by_shard.setdefault(record.shard, []).append(record.pith_number)
        for shard in by_shard:
            require_shard(layout, catalog, shard, "bundles")
    for shard, numbers in by_shard.items():
        bundles = find_bundles(layout, shard, numbers)
        layout.files.write_derived((layout.bundle(n), data) for n, data in bundles.items())
    return sum(map(len, by_shard.values()))
