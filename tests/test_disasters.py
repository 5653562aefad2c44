"""Whatever happens to the files of a data folder, what was signed is not lost, or is named as lost.

Disasters are drawn by seed. `FULL=1` draws 300 of them, and `DISASTER=<seed>` one again.
"""

import json
import os
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from oai_pages import page, record
from runs import config_in, tree

from flows import jobs
from flows.doctor import examine, repair
from flows.errors import StoreError
from transforms.verify import verify_bundle

SEEDS = (
    [int(os.environ["DISASTER"])]
    if os.environ.get("DISASTER")
    else list(range(300 if os.environ.get("FULL") else 30))
)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
IDS = [f"2201.{number:05}" for number in range(1, 13)]


def replies() -> list[bytes]:
    """Return replies in the order in which they come: papers, and changes of some of them."""
    first = [page(*(record(i, datestamp="2026-01-01") for i in IDS[at : at + 4])) for at in (0, 4, 8)]
    changed = [
        page(*(record(i, datestamp="2026-02-01", authors=f"A. {i}") for i in IDS[at : at + 3]))
        for at in (0, 5)
    ]
    bad = page(record("2201.00099", title=""), record(IDS[11], datestamp="2026-01-01"))
    return [*first, *changed, bad]


def run(folder: Path, some: list[bytes], moment: datetime, patch: pytest.MonkeyPatch) -> Any:
    patch.setattr("flows.job.utc_now", lambda: moment)
    saved = folder / "saved"
    shutil.rmtree(saved, ignore_errors=True)
    saved.mkdir()
    for number, reply in enumerate(some):
        (saved / f"{number}.xml").write_bytes(reply)
    return jobs.backfill_raw(config_in(folder), [saved])


def history(folder: Path, patch: pytest.MonkeyPatch) -> None:
    """Make a data folder by three runs, and keep a copy of it after the first."""
    everything = replies()
    for day, some in enumerate((everything[:2], everything[2:4], everything[4:])):
        run(folder, some, NOW + timedelta(days=day), patch)
        if day == 0:
            shutil.copytree(folder / "data", folder / "older")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        history(folder, patch)
        other = tmp_path_factory.mktemp("other")
        history(other, patch)
    shutil.copytree(other / "data", folder / "foreign")
    return folder


# An independent reading of what lies in a folder, by none of the store's own code.


def parse(data: bytes) -> dict[str, Any] | None:
    return json.loads(data) if verify_bundle(data, []).valid else None


def parquet_rows(path: Path) -> list[dict[str, Any]]:
    try:
        return list(pq.read_table(path).to_pylist())
    except (OSError, pa.ArrowException):
        return []


def first_times(folder: Path) -> dict[str, set[str]]:
    """Return each number with the first_computed_at that any file of the folder still holds."""
    found: dict[str, set[str]] = {}
    bundles = [path.read_bytes() for path in folder.rglob("*.json") if "ledger" not in path.parts]
    for path in folder.rglob("*.parquet"):
        bundles += [row["bundle"] for row in parquet_rows(path) if row.get("bundle")]
    for bundle in filter(None, map(parse, bundles)):
        created = next(e for e in bundle["events"] if e["event_type"] == "record_created")
        time = created["payload"]["receipt"]["first_computed_at"]
        found.setdefault(bundle["pith_number"], set()).add(time)
    return found


def assert_right(folder: Path, held: dict[str, set[str]]) -> None:
    """Assert that every paper is there once, with its first time, that no one contradicts itself."""
    data = folder / "data"
    papers = [
        row for path in sorted((data / "tables/papers").glob("*.parquet")) for row in parquet_rows(path)
    ]
    assert {row["arxiv_id"] for row in papers} == set(IDS)
    newest: dict[str, bytes] = {}
    for path in (data / "bundles").rglob("*.json"):
        newest[path.stem] = path.read_bytes()
    assert len(newest) == len(IDS)
    snapshots: dict[tuple[str, str | None], set[str]] = {}
    table_bundles = [
        row["bundle"]
        for path in (data / "tables/bundles").glob("*.parquet")
        for row in parquet_rows(path)
    ]
    for bundle in [*newest.values(), *table_bundles]:
        read = parse(bundle)
        assert read, "a bundle does not verify"
        assert read["state"]["equivocation_count"] == 0
        for event in read["events"]:
            key = (f"{read['pith_number']} {event['event_type']}", event["prev_event"])
            snapshots.setdefault(key, set()).add(event["event_id"])
    assert all(len(ids) == 1 for ids in snapshots.values()), "two events follow the same one"
    for suffix, bundle in newest.items():
        read = json.loads(bundle)
        times = {
            event["payload"]["receipt"]["first_computed_at"]
            for event in read["events"]
            if event["event_type"] == "record_created"
        }
        assert len(times) == 1
        before = held.get(read["pith_number"], set())
        assert not before or times <= before, f"{suffix} was issued again"


# Disasters: each changes one file, or several, and says what it did.

Disaster = Callable[[Path, Path, Random], str]


def pick(folder: Path, choose: Random) -> Path:
    """Choose a kind of file first, so that the few are as likely as the many."""
    kinds: dict[str, list[Path]] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "runs" not in path.parts and path.name != ".writer.lock":
            parts = path.relative_to(folder).parts
            kinds.setdefault("/".join(parts[:2]) if parts[0] == "tables" else parts[0], []).append(path)
    return choose.choice(kinds[choose.choice(sorted(kinds))])


def delete(made: Path, data: Path, choose: Random) -> str:
    path = pick(data, choose)
    path.unlink()
    return f"delete {path.relative_to(data)}"


def delete_folder(made: Path, data: Path, choose: Random) -> str:
    name = choose.choice(["ledger", "bundles", "tables/bundles", "tables/papers", "tables/events"])
    shutil.rmtree(data / name, ignore_errors=True)
    return f"delete {name}"


def truncate(made: Path, data: Path, choose: Random) -> str:
    path = pick(data, choose)
    size = choose.randrange(max(1, path.stat().st_size))
    path.write_bytes(path.read_bytes()[:size])
    return f"truncate {path.relative_to(data)} to {size}"


def flip(made: Path, data: Path, choose: Random) -> str:
    path = pick(data, choose)
    bits = bytearray(path.read_bytes())
    if not bits:
        return "nothing to flip"
    for _ in range(choose.choice([1, 1, 4, 40])):
        bits[choose.randrange(len(bits))] ^= 1 << choose.randrange(8)
    path.write_bytes(bits)
    return f"flip {path.relative_to(data)}"


def older(made: Path, data: Path, choose: Random) -> str:
    path = pick(made / "older", choose).relative_to(made / "older")
    (data / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(made / "older" / path, data / path)
    return f"older {path}"


def older_folder(made: Path, data: Path, choose: Random) -> str:
    name = choose.choice(["ledger", "tables", "bundles"])
    shutil.rmtree(data / name, ignore_errors=True)
    shutil.copytree(made / "older" / name, data / name)
    return f"older {name}"


def foreign(made: Path, data: Path, choose: Random) -> str:
    path = pick(made / "foreign", choose).relative_to(made / "foreign")
    (data / path).parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(made / "foreign" / path, data / path)
    return f"foreign {path}"


def stray(made: Path, data: Path, choose: Random) -> str:
    path = pick(data / "tables", choose) if (data / "tables").exists() else None
    if path is None:
        return "nothing"
    shutil.copyfile(path, path.with_name("my_backup.parquet"))
    return f"stray {path.relative_to(data)}"


DISASTERS: list[Disaster] = [
    delete, delete, delete_folder, truncate, truncate, flip, flip, flip, older, older_folder,
    foreign, stray,
]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_disaster_nothing_signed_is_lost(
    made: Path, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = Random(seed)
    shutil.copytree(made / "data", tmp_path / "data")
    shutil.copyfile(made / "signing.key", tmp_path / "signing.key")
    (tmp_path / "signing.key").chmod(0o600)
    data = tmp_path / "data"
    before = tree(tmp_path)
    did = [
        choose.choice(DISASTERS)(made, data, choose) for _ in range(choose.choice([1, 1, 2, 3]))
    ]
    held = first_times(data)
    monkeypatch.setattr("flows.doctor.utc_now", lambda: NOW + timedelta(days=9))
    config = config_in(tmp_path)
    after = {name: digest for name, (_, digest) in tree(tmp_path).items()}
    changed = {
        name for name in before.keys() | after.keys()
        if name not in after or name not in before or before[name][1] != after[name]
    }  # fmt: skip
    found = examine(config, full=True)
    if changed - {name for name in changed if name.endswith((".sha256", "my_backup.parquet"))}:
        named = found.findings.faults or found.findings.notices
        assert named, f"the doctor sees nothing after: {did}"
    said: list[str] = []
    repair(config, full=True, say=said.append)
    report = run(tmp_path, replies(), NOW + timedelta(days=10), monkeypatch)
    assert not report.failures
    repaired = examine(config, full=True)
    assert not repaired.findings.faults, (did, said, [str(f) for f in repaired.findings.faults])
    assert_right(tmp_path, held)
    times = first_times(data)
    again = run(tmp_path, replies(), NOW + timedelta(days=11), monkeypatch)
    assert (again.counts.new_records, again.counts.new_snapshots) == (0, 0), did
    assert first_times(data) == times


def test_a_run_after_a_disaster_touches_nothing_or_mends_it(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the doctor: whatever a run does, no committed file is changed or gone."""
    for seed in SEEDS[:20]:
        choose, folder = Random(1000 + seed), tmp_path / str(seed)
        folder.mkdir()
        shutil.copytree(made / "data", folder / "data")
        shutil.copyfile(made / "signing.key", folder / "signing.key")
        (folder / "signing.key").chmod(0o600)
        did = choose.choice(DISASTERS)(made, folder / "data", choose)
        before = tree(folder)
        kept = {name: time for name, time in before.items() if name.startswith(("tables", "ledger"))}
        try:
            run(folder, replies(), NOW + timedelta(days=10), monkeypatch)
        except StoreError as error:
            assert "doctor" in str(error), did
        after = tree(folder)
        assert kept.items() <= after.items(), did
