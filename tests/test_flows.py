"""The three flows, run by Prefect."""

from pathlib import Path

import pytest
from runs import SAMPLE, assert_whole

from flows.backfill import backfill
from flows.errors import ConfigError
from flows.nightly import nightly
from flows.rerun import rerun


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    file = tmp_path / "config.yaml"
    file.write_text("data_dir: data\nidentity: {key_file: signing.key}\n")
    return file


@pytest.mark.usefixtures("prefect")
def test_the_three_flows_share_one_store(tmp_path: Path, config_file: Path) -> None:
    assert backfill([SAMPLE], config_file=config_file).counts.new_records == 9
    assert nightly(config_file=config_file).counts.unchanged == 9
    assert rerun(["math/0501999"], config_file=config_file).counts.unchanged == 1
    assert_whole(tmp_path)


@pytest.mark.usefixtures("prefect")
def test_a_wrong_use_fails_the_run_with_its_sentence(config_file: Path) -> None:
    state = backfill([config_file.parent / "nowhere"], config_file=config_file, return_state=True)
    assert state.is_failed()
    with pytest.raises(ConfigError, match="does not exist"):
        state.result()
