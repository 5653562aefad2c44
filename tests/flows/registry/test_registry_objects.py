"""A registry reads a data folder in an object store; its index lies on its own disk."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.papers.oai_pages import page, record
from support.registry.publishing import published
from support.runs import jobs
from support.runs.runs import bundle_files, process
from support.stores.object_store import S3, make_bucket, moto_server
from support.stores.stored_objects import contents, use

from flows.ingest.worker_context import layout_of
from flows.registry.index.following import update
from flows.registry.publish.published import FileLayout, read_published
from flows.registry.publish.target import files_at
from flows.registry.reader import RegistryReader

pytestmark = pytest.mark.s3


@pytest.fixture(scope="module")
def endpoint() -> Iterator[int]:
    with moto_server() as port:
        yield port


def test_bundles_in_an_object_store_are_found_and_indexed(
    endpoint: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket = f"registry-{time.time_ns()}"
    make_bucket(endpoint, bucket)
    store = S3(endpoint, bucket)
    use(store, monkeypatch)
    config = store.config(tmp_path)
    reply = tmp_path / "reply.xml"
    reply.write_bytes(page(record(), record("math/0410603")))
    jobs.backfill_raw(config, [reply])
    kept = contents(config)
    bundles = {key: data for key, data in kept.items() if key.startswith("bundles/")}
    assert len(bundles) == 2
    layout = layout_of(config)
    for indexed in (0, 2):
        with RegistryReader(layout) as reader:
            for key, data in bundles.items():
                suffix = Path(key).stem
                (found,) = reader.resolve(suffix)
                assert reader.bundle(found).read() == data
                assert (reader.indexed(suffix) is not None) == bool(indexed)
        assert update(layout) == 2 - indexed
    assert contents(config) == kept


@pytest.mark.parametrize("file_layout", ["files", "packs"])
def test_a_registry_is_published_to_a_bucket_as_to_a_folder(
    endpoint: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file_layout: FileLayout
) -> None:
    bucket = f"published-{time.time_ns()}"
    make_bucket(endpoint, bucket)
    use(S3(endpoint, bucket), monkeypatch)
    objects, disk = files_at(f"s3://{bucket}/site"), tmp_path / "site"
    for arxiv_id in ("0903.0442", "math/0410603"):
        process(tmp_path, page(record(arxiv_id)))
        published(tmp_path, disk, file_layout)
        assert published(tmp_path, disk, file_layout, files=objects).changed == 1
    there = {str(path.relative_to(disk)) for path in disk.rglob("*") if path.is_file()}
    assert len(bundle_files(tmp_path)) == 2
    assert all(objects.read(key) == (disk / key).read_bytes() for key in there)
    state = read_published(objects)
    assert state
    assert state == read_published(files_at(str(disk)))
    assert published(tmp_path, disk, file_layout, files=objects).files == 0
