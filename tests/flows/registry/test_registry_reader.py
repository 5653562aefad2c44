"""A registry finds records by all their names, and reads exact bundles beside a writer."""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.papers.oai_pages import page, record, version
from support.runs.jobs import backfill_raw
from support.runs.runs import SAMPLE, bundle_files, config_in, process

from flows.common.errors import StoreError
from flows.registry.reader import RegistryReader
from flows.store.layout import Layout
from flows.store.repair.rebuild import rebuild_catalog

TWINS, SHARED_NUMBER = ("1812.71604", "2006.04138"), "2QT3DCKS"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sample's records, and two whose short numbers are one."""
    folder = tmp_path_factory.mktemp("sample")
    assert backfill_raw(config_in(folder), [SAMPLE]).counts.new_records == 9
    process(folder, page(*(record(arxiv_id) for arxiv_id in TWINS)))
    return folder


@pytest.fixture
def reader(sample: Path) -> Iterator[RegistryReader]:
    with RegistryReader(Layout(sample / "data")) as opened:
        yield opened


def test_every_record_is_found_by_each_of_its_names(sample: Path, reader: RegistryReader) -> None:
    files = bundle_files(sample)
    assert len(files) == 11
    for suffix, data in files.items():
        (found,) = reader.resolve(suffix)
        assert found.pith_number.endswith(suffix)
        paper = found.arxiv_id
        names = [found.pith_number, suffix.lower(), suffix[:16], suffix[:12], paper,
                 f"{paper}v{found.version}", f"10.48550/arXiv.{paper}"]  # fmt: skip
        for name in names:
            assert reader.resolve(name) == [found]
        bundle = reader.bundle(found)
        assert (bundle.read(), bundle.sha256) == (data, hashlib.sha256(data).hexdigest())
        assert bundle.issued_at == found.issued_at


def test_a_short_number_of_two_records_gives_both(reader: RegistryReader) -> None:
    found = reader.resolve(SHARED_NUMBER.lower())
    assert sorted(record.arxiv_id for record in found) == sorted(TWINS)


def test_what_is_not_kept_gives_nothing(reader: RegistryReader) -> None:
    for name in ("AAAAAAAA", "A" * 26, "pith:2019:" + "A" * 26, "0001.0001", f"{TWINS[0]}v9"):
        assert reader.resolve(name) == []


def test_an_arxiv_id_means_the_newest_version(tmp_path: Path) -> None:
    process(tmp_path, page(record()))
    with RegistryReader(Layout(tmp_path / "data")) as reader:
        (first,) = reader.resolve("0903.0442")
        process(tmp_path, page(record(versions=version(1) + version(2), title="Another")))
        (second,) = reader.resolve("0903.0442")
        assert (first.version, second.version) == (1, 2)
        assert reader.resolve("0903.0442v1") == [first]
        assert reader.newest() == second


def test_a_catalog_that_was_made_again_is_read(tmp_path: Path) -> None:
    process(tmp_path, page(record()))
    with RegistryReader(Layout(tmp_path / "data")) as reader:
        (before,) = reader.resolve("0903.0442")
        rebuild_catalog(reader.layout)
        process(tmp_path, page(record("math/0410603")))
        assert reader.resolve("0903.0442") == [before]
        assert reader.resolve("math/0410603")


def test_a_folder_without_records_is_no_registry_yet(tmp_path: Path) -> None:
    with RegistryReader(Layout(tmp_path / "data")) as reader:
        with pytest.raises(StoreError, match="there are no records"):
            reader.newest()
        process(tmp_path, page(record()))
        assert reader.newest()
        shutil.rmtree(tmp_path / "data")
        with pytest.raises(StoreError, match="there are no records"):
            reader.resolve("0903.0442")
