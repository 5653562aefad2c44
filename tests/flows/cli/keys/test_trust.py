"""Keys from elsewhere, receipts issued again, copies united, and no seed left behind."""

import json
import re
from pathlib import Path

import pytest
from support.bundles.signed_events import ISSUER, OTHER
from support.commands.command import run
from support.papers.golden_data import GOLDEN
from support.papers.oai_pages import page, record
from support.runs.catalogs import dump, rebuilt
from support.runs.runs import assert_whole, bundle_files, config_in, process, rows, tree

from flows.common.config import IdentityConfig, KnownKey
from flows.common.errors import ConfigError
from flows.common.keys import KEY_VARIABLE, create_key, load_issuer, own_keys
from flows.jobs import reissue as reissuing
from transforms import IssueTimes, build_bundle
from transforms.bundle.build import bundle_bytes
from transforms.bundle.later_events import reissue
from transforms.documents.bundle import Bundle
from transforms.documents.event import is_created
from transforms.encoding.timestamps import from_text
from transforms.signing import encode_base64
from transforms.verify.verify import verify_bundle

pytestmark = pytest.mark.process

SEED = bytes(range(32))
LATER = from_text("2026-11-21T00:00:01Z")
EVEN_LATER = from_text("2026-11-22T00:00:00Z")
PAPER = GOLDEN[0].paper
FIRST = build_bundle(
    PAPER, issuer=ISSUER, times=IssueTimes.at(from_text("2026-11-21T00:00:00.123456Z"))
)


def valid_keys(bundle: Bundle) -> bool:
    keys = [ISSUER.signer.public_key, OTHER.signer.public_key]
    report = verify_bundle(bundle_bytes(bundle), keys)
    assert report.valid, report.failure
    return report.trusted


def test_the_key_comes_from_the_first_place_that_has_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = IdentityConfig(key_file=tmp_path / "signing.key")
    in_file = create_key(config.key_file)
    assert load_issuer(config).signer.public_key == in_file.public_key
    monkeypatch.setenv(KEY_VARIABLE, encode_base64(SEED))
    from_variable = load_issuer(config).signer.public_key
    assert from_variable != in_file.public_key
    monkeypatch.setenv(KEY_VARIABLE, "no key at all")
    with pytest.raises(ConfigError, match=f"variable {KEY_VARIABLE} does not hold a key") as caught:
        load_issuer(config)
    assert "no key at all" not in str(caught.value)


@pytest.mark.usefixtures("prefect")
def test_the_key_can_be_a_prefect_secret(tmp_path: Path) -> None:
    from prefect.blocks.system import Secret

    config = IdentityConfig(key_file=tmp_path / "unused", key_secret="pith-test-key")
    with pytest.raises(ConfigError, match="no Secret block 'pith-test-key'"):
        load_issuer(config)
    Secret(value=encode_base64(SEED)).save("pith-test-key")
    assert load_issuer(config).signer.public_key
    assert not config.key_file.exists()


def test_keys_that_signed_before_stay_ours(tmp_path: Path) -> None:
    old = KnownKey(key_id="old", public_key=encode_base64(OTHER.signer.public_key))
    config = IdentityConfig(key_file=tmp_path / "signing.key", known_keys=(old,))
    assert own_keys(config) == {OTHER.signer.public_key}
    made = create_key(config.key_file)
    assert own_keys(config) == {OTHER.signer.public_key, made.public_key}


def test_a_receipt_issued_again_keeps_what_was_signed_before() -> None:
    again = reissue(FIRST, issuer=OTHER, moment=LATER)
    assert valid_keys(again)
    assert again["events"][:2] == FIRST["events"]
    old, new = (e["payload"]["receipt"] for e in again["events"] if is_created(e))
    assert new["first_computed_at"] == old["first_computed_at"]
    assert new["last_reissued_at"] == "2026-11-21T00:00:01.000000Z"
    assert new["public_key_fingerprint"] == OTHER.fingerprint
    assert len(again["public_keys"]) == 2


def test_a_data_folder_is_reissued_with_a_new_key_and_only_once(tmp_path: Path) -> None:
    process(tmp_path, page(record("2201.00001"), record("2201.00002")))
    process(tmp_path, page(record("2201.00003")))
    (tmp_path / "signing.key").rename(tmp_path / "old.key")
    config = config_in(tmp_path)
    one = reissuing.reissue(config, ["2201.00003"], job_name="rerun")
    assert (one.counts.reissued, one.exit_status) == (1, 0)
    everything = reissuing.reissue(config, job_name="backfill")
    assert (everything.counts.reissued, everything.counts.unchanged) == (2, 1)
    before = tree(tmp_path)
    assert reissuing.reissue(config, job_name="backfill").counts.reissued == 0
    assert tree(tmp_path) == before
    unknown = reissuing.reissue(config, ["2201.00009"], job_name="rerun")
    assert "nothing is known of 2201.00009 in " in unknown.failures["2201.00009"]
    assert_whole_after_reissue(tmp_path)
    catalog = dump(tmp_path / "data" / "catalog.sqlite")
    assert rebuilt(tmp_path) == catalog
    assert process(tmp_path, page(record("2201.00003"))).counts.unchanged == 1


def assert_whole_after_reissue(folder: Path) -> None:
    assert_whole(folder)
    for data in bundle_files(folder).values():
        assert len(json.loads(data)["events"]) == 3
    assert len(rows(folder, "events")) == 9


def test_a_run_leaves_the_seed_nowhere(tmp_path: Path) -> None:
    process(tmp_path, page(record(), record("2201.00001", title="")))
    seed = (tmp_path / "signing.key").read_text().strip()
    done = run(tmp_path, "status", "--data", tmp_path / "data")
    left = [path.read_bytes() for path in (tmp_path / "data").rglob("*") if path.is_file()]
    left.append((done.stdout + done.stderr).encode())
    pattern = re.compile(re.escape(seed.rstrip("=").encode()))
    assert not any(pattern.search(data) for data in left)
    assert not any(row for table in ("papers", "events", "rejects") for row in rows(tmp_path, table)
                   if seed in str(row))  # fmt: skip
