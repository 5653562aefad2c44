"""A data folder in an object store keeps what one on a disk keeps, and promises the same."""

import json
import multiprocessing
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pytest
from arxiv_server import ArxivServer, make_library
from support.papers.oai_pages import page, record
from support.papers.snapshot_rows import line, row, text
from support.runs import jobs
from support.runs.catalogs import dump
from support.runs.runs import SAMPLE, assert_whole, bundle_files, config_for, config_in, rows
from support.stores.object_store import KEY_ID, S3, SECRET, make_bucket, moto_server, often, proxy
from support.stores.stored_objects import contents, fetch, objects, use

from flows.cli.data.find import print_matches
from flows.cli.data.show import print_record
from flows.cli.data.status.folder_status import folder_status
from flows.common.config import Config, load_config
from flows.common.errors import ConfigError, StoreError
from flows.common.files.locations import location_of
from flows.common.keys import load_issuer
from flows.ingest.worker_context import WorkerSetup, layout_of, open_context
from flows.jobs import reissue as reissuing
from flows.store.catalog import copies as shared
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.window import Window
from flows.store.layout import TABLES, Layout
from flows.store.repair.doctor import examine, repair_folder
from flows.store.repair.rebuild import rebuild_catalog
from flows.store.store import open_store
from transforms.paper.selection import Selection

pytestmark = pytest.mark.s3

MOMENT = datetime(2026, 3, 4, 5, 6, 7, 891011, tzinfo=UTC)
KILLS = 40 if os.environ.get("FULL") else 10
PAPERS, PAGE = 200, 5


@pytest.fixture(scope="session")
def endpoint() -> Iterator[int]:
    with moto_server() as port:
        yield port


@pytest.fixture
def s3(endpoint: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> S3:
    bucket = f"bucket-{time.time_ns()}"
    make_bucket(endpoint, bucket)
    store = S3(endpoint, bucket)
    use(store, monkeypatch)
    (tmp_path / "local").mkdir()
    return store


def table_rows(folder: Path) -> dict[str, list[Any]]:
    times = {"noticed_at", "started_at"}
    return {
        table: sorted(
            (
                {name: value for name, value in found.items() if name not in times}
                for found in rows(folder, table)
            ),
            key=str,
        )
        for table in TABLES
    }


def assert_the_same(fetched: Path, local: Path) -> None:
    assert table_rows(fetched) == table_rows(local)
    assert bundle_files(fetched) == bundle_files(local)
    assert bundle_files(local)
    assert_whole(fetched)


def snapshot(folder: Path) -> Path:
    file = folder / "snapshot.json"
    ids = [f"2201.{number:05}" for number in range(1, 120)]
    file.write_bytes(text(*ids) + b"{broken\n" + line(row(ids[0], title="Again")))
    return file


def test_a_snapshot_gives_what_it_gives_on_a_disk(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("flows.jobs.job.utc_now", lambda: MOMENT)
    file, config = snapshot(tmp_path), s3.config(tmp_path)
    identity = {"identity": config.identity}
    local = jobs.backfill_snapshot(
        config_in(tmp_path / "local").model_copy(update=identity), file, Selection()
    )
    remote = jobs.backfill_snapshot(config, file, Selection())
    assert remote.counts == local.counts
    assert_the_same(fetch(config, tmp_path / "fetched"), tmp_path / "local")


@pytest.mark.parametrize("rate", [0, 0.05])
def test_a_harvest_gives_what_it_gives_on_a_disk(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate: float
) -> None:
    monkeypatch.setattr("flows.jobs.job.utc_now", lambda: MOMENT)
    first, until = date(2026, 2, 1), date(2026, 2, 10)
    library = make_library(150, 7, first, 10)
    with (
        ArxivServer(library, today=MOMENT.date(), page_size=20, id_page_size=20_000) as server,
        proxy(s3, often(rate)) as store,
    ):
        use(store, monkeypatch)
        config = s3.config(tmp_path)
        shared_settings = {"identity": config.identity}
        local = config_for(tmp_path / "local", server, **shared_settings)
        remote = config.model_copy(update={"arxiv": local.arxiv})
        reports = [jobs.backfill_categories(one, ["all"], first, until) for one in (local, remote)]
        assert reports[0].counts == reports[1].counts
        assert reports[0].windows == reports[1].windows
        assert [report.exit_status for report in reports] == [0, 0]
        asked = len(store.requests)
        assert asked > 150
    use(s3, monkeypatch)
    assert_the_same(fetch(config, tmp_path / "fetched"), tmp_path / "local")


def saved_pages(folder: Path) -> list[Path]:
    ids = [f"2201.{number:05}" for number in range(1, PAPERS + 1)]
    folder.mkdir()
    for at in range(0, PAPERS, PAGE):
        (folder / f"{at:05}.xml").write_bytes(page(*map(record, ids[at : at + PAGE])))
    return [folder]


def backfill(store: S3, folder: Path) -> None:
    """Run in a process of its own, which is killed; it was started with another environment."""
    os.environ.update(store.environment())
    jobs.backfill_raw(store.config(folder), [folder / "saved"])


def test_killed_again_and_again_it_ends_with_each_paper_once(s3: S3, tmp_path: Path) -> None:
    saved = saved_pages(tmp_path / "saved")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["support.runs.jobs", "test_objects"])
    choose, kills = Random(5), 0
    config = s3.config(tmp_path)
    while kills < KILLS:
        child = context.Process(target=backfill, args=(s3, tmp_path))
        child.start()
        # A moment that no event marks is the point of this test.
        child.join(choose.uniform(0.1, 0.7))
        child.kill()
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        kills += 1
    assert kills >= 3
    report = jobs.backfill_raw(config, saved)
    assert (report.counts.papers, report.exit_status) == (PAPERS, 0)
    fetched = fetch(config, tmp_path / "fetched")
    issued = Counter(row["pith_number"] for row in rows(fetched, "bundles"))
    assert (len(issued), set(issued.values())) == (PAPERS, {1})
    assert len(rows(fetched, "events")) == 2 * PAPERS
    assert_whole(fetched)
    before = contents(config)
    again = jobs.backfill_raw(config, saved)
    assert again.counts.unchanged == PAPERS
    assert contents(config) == before


def test_the_same_again_writes_nothing_but_its_report(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = s3.config(tmp_path)
    jobs.backfill_raw(config, [SAMPLE])
    with proxy(s3, lambda *_: None) as store:
        use(store, monkeypatch)
        jobs.backfill_raw(config, [SAMPLE])
        put = [path.rsplit("/", 1)[-1] for method, path in store.requests if method == "PUT"]
    # Its beginning and its end: a run of more than half a minute says in between how far it is.
    reports = ["report.html", "report.json", "report.md"]
    assert sorted(put) == [*reports, "run.json", "run.json", "writer.json"]


def test_a_lost_catalog_is_fetched_or_made_again(s3: S3, tmp_path: Path) -> None:
    config = s3.config(tmp_path)
    jobs.backfill_raw(config, [SAMPLE])
    layout = layout_of(config)
    before, kept = dump(layout.catalog), contents(config)
    shutil.rmtree(layout.root)
    assert jobs.backfill_raw(config, [SAMPLE]).counts.unchanged == 9
    assert dump(layout.catalog) == before
    assert contents(config) == kept
    shutil.rmtree(layout.root)
    objects(config).remove(["catalog.sqlite"])
    assert jobs.backfill_raw(config, [SAMPLE]).counts.unchanged == 9
    assert dump(layout.catalog) == before
    assert rebuild_catalog(layout) == 2
    with open_store(layout, job="test", bundle_files=True, say=print):
        pass
    assert dump(layout.catalog) == before
    fetch(config, tmp_path / "fetched")
    # A rebuilt catalog is not replaced by the older copy that lies in the store.
    assert jobs.backfill_raw(config, [SAMPLE]).counts.unchanged == 9


def test_two_machines_take_turns(s3: S3, tmp_path: Path) -> None:
    machines = [s3.config(tmp_path / name) for name in ("one", "two")]
    key = machines[0].identity
    machines = [config.model_copy(update={"identity": key}) for config in machines]
    saved = saved_pages(tmp_path / "saved")
    files = sorted(saved[0].iterdir())
    for number, file in enumerate(files[:4]):
        assert jobs.backfill_raw(machines[number % 2], [file]).counts.new_records == PAGE
    assert jobs.backfill_raw(machines[0], files[:4]).counts.unchanged == 4 * PAGE
    assert_whole(fetch(machines[0], tmp_path / "fetched"))


def test_a_shard_that_no_copy_knows_is_taken_up(s3: S3, tmp_path: Path) -> None:
    one, two = (s3.config(tmp_path / name) for name in ("one", "two"))
    two = two.model_copy(update={"identity": one.identity})
    files = sorted(saved_pages(tmp_path / "saved")[0].iterdir())
    jobs.backfill_raw(one, files[:1])
    copy = objects(one).read("catalog.sqlite")
    jobs.backfill_raw(one, files[1:2])
    # As if the first machine was lost in its second run: after a commit, before its copy.
    objects(one).write("catalog.sqlite", copy)
    before = contents(one)
    assert jobs.backfill_raw(two, files[:2]).counts.unchanged == 2 * PAGE
    after = contents(two)
    assert {key: after[key] for key in before if key != "catalog.sqlite"} == {
        key: data for key, data in before.items() if key != "catalog.sqlite"
    }
    assert_whole(fetch(two, tmp_path / "fetched"))


def test_what_was_never_named_is_removed_and_foreign_files_stay(s3: S3, tmp_path: Path) -> None:
    config = s3.config(tmp_path)
    jobs.backfill_raw(config, [SAMPLE])
    files, layout = objects(config), layout_of(config)
    files.write(layout.shard("papers", "oai-x-0"), files.read(shard_of(config, "papers")))
    kept = contents(config)
    files.write_unnamed(layout.shard("papers", "oai-y-0"), b"on its way")
    said: list[str] = []
    with open_store(layout, job="test", bundle_files=True, say=said.append):
        pass
    assert [sentence.split()[0] for sentence in said] == ["left", "removed"]
    assert contents(config) == kept


@pytest.mark.parametrize("folder", ["ledger", "tables/bundles", "tables/papers", "bundles", "raw"])
def test_objects_that_are_gone_stop_a_run_and_the_doctor_mends(
    s3: S3, tmp_path: Path, folder: str
) -> None:
    config = s3.config(tmp_path)
    jobs.backfill_raw(config, [SAMPLE])
    before = contents(config)
    gone = [key for key in before if key.startswith(f"{folder}/")]
    objects(config).remove(gone)
    left = contents(config)
    assert examine(layout_of(config), config, full=True).findings.faults
    if folder not in {"bundles", "raw"}:
        with pytest.raises(StoreError, match="pith-ingest doctor"):
            jobs.backfill_raw(config, [SAMPLE])
        assert contents(config) == left
    said: list[str] = []
    repair_folder(layout_of(config), config, full=True, say=said.append)
    report = jobs.backfill_raw(config, [SAMPLE])
    assert (report.counts.new_records, report.counts.unchanged) == (0, 9)
    assert not examine(layout_of(config), config, full=True).findings.faults, said
    after = contents(config)
    assert {k: v for k, v in after.items() if k.startswith("bundles/")} == {
        k: v for k, v in before.items() if k.startswith("bundles/")
    }


def shard_of(config: Config, table: str) -> str:
    (name,) = objects(config).names(f"tables/{table}")
    return f"tables/{table}/{name}"


def test_a_second_coordinator_is_told_how_to_go_on(s3: S3, tmp_path: Path) -> None:
    one, two = (layout_of(s3.config(tmp_path / name)) for name in ("one", "two"))
    with (
        open_store(one, job="backfill", bundle_files=True, say=print),
        pytest.raises(StoreError, match=r"run \(backfill, process \d+ on .*remove s3:.*/writer"),
        open_store(two, job="nightly", bundle_files=True, say=print),
    ):
        pass
    with open_store(two, job="nightly", bundle_files=True, say=print):
        pass


def lose_the_lock(one: Layout, two: Layout) -> None:
    with open_store(one, job="one", bundle_files=True, say=print) as store:
        assert one.objects
        one.objects.remove([shared.LOCK])
        with open_store(two, job="two", bundle_files=True, say=print):
            pass
        store.catalog.windows.resume(Window(), MOMENT)


def test_who_lost_the_lock_leaves_the_copy_alone(s3: S3, tmp_path: Path) -> None:
    one, two = (layout_of(s3.config(tmp_path / name)) for name in ("one", "two"))
    with pytest.raises(StoreError, match="was taken from this run"):
        lose_the_lock(one, two)
    assert two.objects
    with closing(Catalog.open(shared.readable_catalog(two), read_only=True)) as catalog:
        assert catalog.windows.open_windows() == []


def test_a_worker_elsewhere_knows_what_the_copy_knows(s3: S3, tmp_path: Path) -> None:
    one, elsewhere = (s3.config(tmp_path / name) for name in ("one", "elsewhere"))
    elsewhere = elsewhere.model_copy(update={"identity": one.identity})
    jobs.backfill_raw(one, [SAMPLE])
    fingerprint = load_issuer(one.identity).fingerprint
    here, there = (
        open_context(WorkerSetup(config, "run", fingerprint)) for config in (one, elsewhere)
    )
    assert here.catalog.shard_names() == there.catalog.shard_names() != set()
    assert not there.layout.catalog.exists()
    assert len(list(there.layout.root.glob("copies/*.sqlite"))) == 1
    here.catalog.close()
    there.catalog.close()


def test_what_is_kept_can_be_read(
    s3: S3, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = s3.config(tmp_path)
    jobs.backfill_raw(config, [SAMPLE])
    print_record(config, "1711.04623")
    print_matches(config, "gossip", 5)
    shown = capsys.readouterr().out
    assert f"s3://{s3.bucket}/a/prefix/bundles/2017/M5/" in shown
    assert "GoSGD" in shown
    found = folder_status(config)
    assert (found.records, found.rejects, found.faults) == (9, 1, [])
    assert [run.outcome for run in found.runs] == ["done, 1 reject"]


def test_receipts_are_issued_again(s3: S3, tmp_path: Path) -> None:
    config = s3.config(tmp_path)
    jobs.backfill_raw(config, [SAMPLE])
    other = config.identity.model_copy(update={"key_file": tmp_path / "other.key"})
    config = config.model_copy(update={"identity": other})
    assert reissuing.reissue(config, job_name="backfill").counts.reissued == 9
    assert_whole(fetch(config, tmp_path / "fetched"))


DENIED = (
    "<Error><Code>SignatureDoesNotMatch</Code><Message>The request signature does not match."
    f"</Message><AWSAccessKeyId>{KEY_ID}</AWSAccessKeyId><StringToSign>AWS4-HMAC {SECRET}"
    "</StringToSign><SignatureProvided>f00dfeed</SignatureProvided></Error>"
).encode()
FAULTS: dict[str, tuple[tuple[int, bytes], str]] = {
    "a wrong secret": ((403, DENIED), "the secret key is not the one of the access key"),
    "an unknown key": (
        (403, b"<Error><Code>InvalidAccessKeyId</Code></Error>"), "does not know the access key",
    ),
    "no rights": ((403, b"<Error><Code>AccessDenied</Code></Error>"), "do not allow it"),
    "no words": ((400, b"?"), "the store answered 400"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_an_error_is_a_sentence_without_secrets(
    s3: S3,
    tmp_path: Path,
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    answer, sentence = FAULTS[fault]
    with proxy(s3, lambda *_: answer) as store:
        use(store, monkeypatch)
        with pytest.raises(StoreError, match=sentence) as caught:
            jobs.backfill_raw(s3.config(tmp_path), [SAMPLE])
    printed = "".join(capfd.readouterr())
    for told in (str(caught.value), caplog.text, printed):
        assert not any(secret in told for secret in (SECRET, KEY_ID, "f00dfeed", "AWS4-HMAC"))
    assert "\n" not in str(caught.value)
    assert f"s3://{s3.bucket}/a/prefix" in str(caught.value)


def test_a_missing_bucket_is_named(s3: S3, tmp_path: Path) -> None:
    nowhere = S3(s3.port, "no-such-bucket-here")
    with pytest.raises(StoreError, match=r"s3://no-such-bucket-here/.*: there is no such bucket"):
        jobs.backfill_raw(nowhere.config(tmp_path), [SAMPLE])


def test_no_secret_is_kept(s3: S3, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = s3.config(tmp_path)
    report = jobs.backfill_raw(config, [SAMPLE])
    kept = contents(config, without=())
    assert any(key.startswith("runs/") for key in kept)
    local = [path.read_bytes() for path in (tmp_path / "state").rglob("*") if path.is_file()]
    for data in (*kept.values(), *local, "\n".join(report.lines()).encode(), caplog.text.encode()):
        assert SECRET.encode() not in data
        assert KEY_ID.encode() not in data


PLACES: dict[str, str | Path] = {
    "s3://bucket/a/b/": "s3://bucket/a/b",
    "s3:/bucket/a": "s3://bucket/a",
    "some/folder": Path("some/folder"),
}


@pytest.mark.parametrize("text", PLACES)
def test_a_place_is_a_folder_or_a_url(text: str, tmp_path: Path) -> None:
    assert location_of(text) == location_of(Path(text)) == PLACES[text]
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps({"data_dir": text}))
    expected = PLACES[text]
    in_folder = tmp_path / expected if isinstance(expected, Path) else expected
    assert load_config(file).data_dir == in_folder


@pytest.mark.parametrize(
    "text", [f"s3://{KEY_ID}:{SECRET}@bucket/a", f"s3://bucket/a?secret={SECRET}", "ftp://x/y"]
)
def test_another_url_is_refused_and_not_repeated(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps({"data_dir": text}))
    with pytest.raises(ConfigError, match="data_dir") as caught:
        load_config(file)
    assert SECRET not in str(caught.value)
    assert KEY_ID not in str(caught.value)


def test_what_polars_says_of_the_store_is_not_repeated(
    s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = s3.config(tmp_path)
    jobs.backfill_raw(config, [SAMPLE])

    def deny_tables(_: str, path: str) -> tuple[int, bytes] | None:
        return (403, DENIED) if path.endswith(".parquet") else None

    with proxy(s3, deny_tables) as store:
        use(store, monkeypatch)
        with pytest.raises(StoreError, match=r"^cannot read the tables in s3://[-\w/]+$"):
            print_matches(config, "gossip", 5)
