"""A registry reads a data folder in an object store; its index lies on its own disk."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.papers.oai_pages import page, record
from support.runs import jobs
from support.stores.object_store import S3, make_bucket, moto_server
from support.stores.stored_objects import contents, use

from flows.ingest.worker_context import layout_of
from flows.registry.index.following import update
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
