"""Whatever happens to the files of a data folder, what was signed is not lost, or is named as lost.

Disasters are drawn by seed. `FULL=1` draws 300 of them, and `DISASTER=<seed>` one again.
"""

import json
import multiprocessing
import os
import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.papers.oai_pages import page, record
from support.runs import jobs
from support.runs.runs import config_in, tree

from flows.common.errors import StoreError
from flows.ingest.worker_context import layout_of
from flows.store.repair.doctor import examine, repair_folder
from transforms.verify.verify import verify_bundle

pytestmark = pytest.mark.process

SEEDS = (
    [int(os.environ["DISASTER"])]
    if os.environ.get("DISASTER")
    else list(range(300 if os.environ.get("FULL") else 30))
)
NOW = datetime(2026, 3, 1, tzinfo=UTC)
IDS = [f"2201.{number:05}" for number in range(1, 13)]


def replies() -> list[bytes]:
    """Return replies in the order in which they come: papers, and changes of some of them."""
    first = [
        page(*(record(i, datestamp="2026-01-01") for i in IDS[at : at + 4])) for at in (0, 4, 8)
    ]
    changed = [
        page(*(record(i, datestamp="2026-02-01", authors=f"A. {i}") for i in IDS[at : at + 3]))
        for at in (0, 5)
    ]
    bad = page(record("2201.00099", title=""), record(IDS[11], datestamp="2026-01-01"))
    return [*first, *changed, bad]


def run(folder: Path, some: list[bytes], moment: datetime, patch: pytest.MonkeyPatch) -> Any:
    patch.setattr("flows.jobs.job.utc_now", lambda: moment)
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
    except (OSError, UnicodeDecodeError, pa.ArrowException):  # a column's name may be none
        return []


def table_rows(data: Path, table: str) -> list[dict[str, Any]]:
    shards = sorted((data / "tables" / table).glob("*.parquet"))
    return [row for path in shards for row in parquet_rows(path)]


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
    """Assert that every paper is there once, with its first time, and nothing contradicted."""
    data = folder / "data"
    papers = table_rows(data, "papers")
    assert {row["arxiv_id"] for row in papers} == set(IDS)
    newest: dict[str, bytes] = {}
    for path in (data / "bundles").rglob("*.json"):
        newest[path.stem] = path.read_bytes()
    assert len(newest) == len(IDS)
    snapshots: dict[tuple[str, str | None], set[str]] = {}
    for bundle in [*newest.values(), *(row["bundle"] for row in table_rows(data, "bundles"))]:
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
            kind = "/".join(parts[:2]) if parts[0] == "tables" else parts[0]
            kinds.setdefault(kind, []).append(path)
    return choose.choice(kinds[choose.choice(sorted(kinds))])


def delete(_: Path, data: Path, choose: Random) -> str:
    path = pick(data, choose)
    path.unlink()
    return f"delete {path.relative_to(data)}"


def delete_folder(_: Path, data: Path, choose: Random) -> str:
    name = choose.choice(["ledger", "bundles", "tables/bundles", "tables/papers", "tables/events"])
    shutil.rmtree(data / name, ignore_errors=True)
    return f"delete {name}"


def truncate(_: Path, data: Path, choose: Random) -> str:
    path = pick(data, choose)
    size = choose.randrange(max(1, path.stat().st_size))
    path.write_bytes(path.read_bytes()[:size])
    return f"truncate {path.relative_to(data)} to {size}"


def flip(made: Path, data: Path, choose: Random) -> str:  # noqa: ARG001 - a Disaster
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


def stray(_: Path, data: Path, choose: Random) -> str:
    path = pick(data / "tables", choose)
    if path.name != "my_backup.parquet":
        shutil.copyfile(path, path.with_name("my_backup.parquet"))
    return f"stray {path.relative_to(data)}"


DISASTERS: list[Disaster] = [
    delete, delete, delete_folder, truncate, truncate, flip, flip, flip, older, older_folder,
    foreign, stray,
]  # fmt: skip


def copy_of(made: Path, folder: Path) -> Path:
    """Return a copy of the data folder that was made, with its key."""
    folder.mkdir(exist_ok=True)
    shutil.copytree(made / "data", folder / "data")
    shutil.copyfile(made / "signing.key", folder / "signing.key")
    (folder / "signing.key").chmod(0o600)
    return folder / "data"


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_disaster_nothing_signed_is_lost(
    made: Path, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = Random(seed)
    data = copy_of(made, tmp_path)
    before = tree(tmp_path)
    did = [choose.choice(DISASTERS)(made, data, choose) for _ in range(choose.choice([1, 1, 2, 3]))]
    held = first_times(data)
    after = {name: digest for name, (_, digest) in tree(tmp_path).items()}
    changed = {
        name for name in before.keys() | after.keys()
        if name not in after or name not in before or before[name][1] != after[name]
    }  # fmt: skip
    config = config_in(tmp_path)
    found = examine(layout_of(config), config, full=True)
    if changed - {name for name in changed if name.endswith((".sha256", "my_backup.parquet"))}:
        named = found.findings.faults or found.findings.notices
        assert named, f"the doctor sees nothing after: {did}"
    assert_recovers(tmp_path, held, did, monkeypatch)


def assert_recovers(
    folder: Path, held: dict[str, set[str]], did: list[str], patch: pytest.MonkeyPatch
) -> None:
    """Assert that a repair and the same inputs again make all good, and that it stays so."""
    said: list[str] = []
    patch.setattr("flows.store.repair.doctor.utc_now", lambda: NOW + timedelta(days=9))
    repair_folder(layout_of(config_in(folder)), config_in(folder), full=True, say=said.append)
    report = run(folder, replies(), NOW + timedelta(days=10), patch)
    assert not report.failures
    repaired = examine(layout_of(config_in(folder)), config_in(folder), full=True).findings
    assert not repaired.faults, (did, said, [str(fault) for fault in repaired.faults])
    assert_right(folder, held)
    times = first_times(folder / "data")
    again = run(folder, replies(), NOW + timedelta(days=11), patch)
    assert (again.counts.new_records, again.counts.new_snapshots) == (0, 0), (did, said)
    assert first_times(folder / "data") == times


def backfill(folder: Path, begun: Event) -> None:
    """Run in a process of its own, which meets a disaster and may be killed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("flows.jobs.job.utc_now", lambda: NOW + timedelta(days=3))
        begun.set()
        jobs.backfill_raw(config_in(folder), [folder / "saved"])


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_a_disaster_while_a_run_goes_on_loses_nothing(
    made: Path, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose = Random(2000 + seed)
    shutil.copytree(made / "older", tmp_path / "data")
    shutil.copyfile(made / "signing.key", tmp_path / "signing.key")
    (tmp_path / "signing.key").chmod(0o600)
    (tmp_path / "saved").mkdir()
    for number, reply in enumerate(replies()):
        (tmp_path / "saved" / f"{number}.xml").write_bytes(reply)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["support.runs.jobs", "test_disasters"])
    begun = context.Event()
    child = context.Process(target=backfill, args=(tmp_path, begun))
    child.start()
    assert begun.wait(60)
    # A moment that no event marks is the point of this test.
    child.join(choose.uniform(0, 0.3))
    did: list[str] = []
    with suppress(FileNotFoundError):  # what was chosen was renamed meanwhile
        did.append(choose.choice(DISASTERS)(made, tmp_path / "data", choose))
    held = first_times(tmp_path / "data")
    if choose.random() < 0.5:
        child.join(choose.uniform(0, 0.2))
        child.kill()
        did.append("kill")
    child.join()
    assert_recovers(tmp_path, held, did, monkeypatch)


@pytest.mark.parametrize("seed", SEEDS[::3])
def test_no_sequence_of_clocks_makes_a_record_contradict_itself(
    tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    choose, taken, refused = Random(3000 + seed), 0, 0
    for turn in range(6):
        authors = f"A. {turn}"
        jump = choose.choice([timedelta(seconds=choose.randrange(-200, 200)), timedelta(days=1)])
        moment = NOW + timedelta(days=choose.randrange(-2, 3)) + jump
        reply = page(*(record(i, datestamp=f"2026-01-{turn + 1:02}", authors=authors) for i in IDS))
        try:
            run(tmp_path, [reply], moment, monkeypatch)
            taken += 1
        except StoreError as error:
            assert "set the clock right" in str(error)  # noqa: PT017 - one of two good ends
            refused += 1
    assert taken
    data = tmp_path / "data"
    followed: set[tuple[str, str, str | None]] = set()
    for row in table_rows(data, "events"):
        key = row["pith_number"], row["event_type"], row["prev_event"]
        assert key not in followed, "two events follow the same one"
        followed.add(key)
    for path in (data / "bundles").rglob("*.json"):
        bundle = parse(path.read_bytes())
        assert bundle
        assert len(bundle["events"]) == taken + 1
        assert bundle["state"]["equivocation_count"] == 0


def test_a_run_after_a_disaster_touches_nothing_or_mends_it(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the doctor: whatever a run does, no committed file is changed or gone."""
    for seed in SEEDS[:20]:
        choose, folder = Random(1000 + seed), tmp_path / str(seed)
        copy_of(made, folder)
        did = choose.choice(DISASTERS)(made, folder / "data", choose)
        before = tree(folder)
        kept = {k: was for k, was in before.items() if k.startswith(("tables", "ledger"))}
        problem = ""
        try:
            run(folder, replies(), NOW + timedelta(days=10), monkeypatch)
        except StoreError as error:
            problem = str(error)
        assert not problem or "doctor" in problem, did
        after = tree(folder)
        assert kept.items() <= after.items(), did
