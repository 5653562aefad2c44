"""How fast bundles of a Parquet shard verify, beside the bare cost of their four signature checks.

Run it with `.venv/bin/python tests/benchmarks/verifying.py`. The shard is generated: bundles made
from the published papers under as many other ids, as the store writes them.
"""

import statistics
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from nacl.signing import VerifyKey
from support.bundles.signed_events import ISSUER
from support.papers.golden_data import GOLDEN

from flows.cli.verify.inputs import read_sources
from flows.store.layout import Layout
from flows.store.parquet.shards import ShardName
from flows.store.parquet.writer import ShardWriter, name_shard
from transforms import IssueTimes, build_bundle
from transforms.encoding.digest import Digest, sha256
from transforms.tables.rows import bundle_row
from transforms.verify.verify import verify_bundle

BUNDLES, ROUNDS, SIGNATURES = 3000, 5, 4


def write_bundles(folder: Path) -> Path:
    """Write one shard of generated bundles and return its path."""
    times = IssueTimes.at(datetime(2026, 11, 21, tzinfo=UTC))
    rows = []
    for number in range(BUNDLES):
        paper = replace(GOLDEN[number % len(GOLDEN)].paper, id=f"2601.{number:05}")
        bundle = build_bundle(paper, issuer=ISSUER, times=times)
        rows.append(bundle_row(bundle, snapshot_sha256=Digest(bytes(32)), issued_at=times.built_at))
    layout, writer = Layout(folder), ShardWriter()
    writer.add("bundles", rows)
    name_shard(
        layout, writer.write(layout, ShardName("shard", "a benchmark", "no run", "no folder"))
    )
    return folder / layout.shard("bundles", "shard")


def seconds_of_signatures() -> float:
    """Return the CPU seconds of as many bare Ed25519 verifications as the shard needs."""
    key, message = VerifyKey(ISSUER.signer.public_key), sha256(b"a message")
    signature = ISSUER.signer.sign(message)
    started = time.process_time()
    for _ in range(BUNDLES * SIGNATURES):
        key.verify(message, signature)
    return time.process_time() - started


def seconds_of_verifying(shard: Path) -> float:
    """Return the CPU seconds, of all threads, from the file to the last report."""
    pinned = {ISSUER.signer.public_key}
    started = time.process_time()
    for found in read_sources([shard]):
        assert verify_bundle(found.data or b"", pinned, columns=found.columns).trusted
    return time.process_time() - started


def main() -> None:
    """Measure both in turns, since a shared machine's speed changes; print the ratio first."""
    with tempfile.TemporaryDirectory() as folder:
        shard = write_bundles(Path(folder))
        measured = [(seconds_of_verifying(shard), seconds_of_signatures()) for _ in range(ROUNDS)]
    ratio = statistics.median(ours / bare for ours, bare in measured)
    ours, bare = (statistics.median(column) for column in zip(*measured, strict=True))
    print(f"time of verifying / its {SIGNATURES} signature checks alone: {ratio:.2f}")
    print(f"bundles a second and core, from Parquet: {BUNDLES / ours:,.0f}")
    print(f"the signature checks alone would allow:  {BUNDLES / bare:,.0f}")
    print(f"(medians of {ROUNDS} rounds of {BUNDLES:,} bundles)")


if __name__ == "__main__":
    main()
