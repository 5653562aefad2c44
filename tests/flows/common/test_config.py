"""Configuration: typed, checked, overridden by the environment."""

import pickle
from pathlib import Path

import pytest
from support.paths import ROOT

from flows.common.config import BUILDER_VERSION, Config, load_config, load_identity
from flows.common.errors import ConfigError, NoDataFolderError
from flows.common.limits import Limits, RetryPolicy
from flows.common.process.version import release

SHIPPED = ROOT / "config.yaml"


def write(folder: Path, text: str) -> Path:
    file = folder / "config.yaml"
    file.write_text(text)
    return file


def test_the_shipped_file_says_the_defaults() -> None:
    shipped, defaults = load_config(SHIPPED), Config()
    assert (
        shipped.arxiv.model_copy(update={"pace_file": defaults.arxiv.pace_file}) == defaults.arxiv
    )
    assert shipped.schedule == defaults.schedule
    assert shipped.data_dir == SHIPPED.parent / "data"
    assert shipped.identity.signer_id.endswith(".invalid")


def test_the_builder_has_the_version_of_the_package() -> None:
    assert f"pith-ingest-{release()}" == BUILDER_VERSION


WRONG = {
    "data_dri: x": "unknown setting data_dri; did you mean data_dir?",
    "arxiv: {pace_secs: 3}": "unknown setting arxiv.pace_secs; did you mean pace_seconds?",
    "colour: red": "unknown setting colour; known are arxiv, categories",
    "limits: {steps: 1}": "unknown setting limits; known are arxiv, categories",
    "arxiv: {pace_seconds: fast}": "arxiv.pace_seconds: input should be a valid number",
    "arxiv: {pace_seconds: -1}": "greater than or equal to 0",
    "arxiv: {oai_url: 'file:///etc/passwd'}": "must be a URL such as",
    "identity: {base_url: 'https://exämple.org'}": "must be an address such as https://example.org",
    "identity: {base_url: 'https://example.org/?a'}": "without user and query",
    "identity: {key_url: 'https://exämple.org/key'}": "must be in ASCII and without spaces",
    "outputs: {bundle_files: some}": "input should be 'all' or 'none'",
    "categories: 7": "categories: input should be a valid list",
    "runner: cloud": "runner: input should be 'local' or 'dask'",
    "dask: {address: 10.0.0.1}": "dask.address: must be a scheduler's address such as",
    "dask: {address: 'tcp://a'}": "must be a scheduler's address such as tcp://10.0.0.1:8786",
    "data_dir: ''": "data_dir names no folder: it is empty",
    "categories: [cs LG]": "categories.0: must be categories such as cs.LG or hep-th",
    "- a list": "must hold settings",
    "a: [": "is not YAML: ",
    "a: 2026-13-45": "is not YAML: a value is not readable",
    "a: " + "[" * 5000: "is not YAML: nested too deeply",
    "arxiv: {oai_url: 'https://me:secret@example.org/oai'}": "without a user name or password",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write(tmp_path, text))
    assert WRONG[text] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_environment_overrides_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = write(tmp_path, "arxiv: {contact: a, pace_seconds: 5}\ndata_dir: here")
    monkeypatch.setenv("PITH_ARXIV__CONTACT", "b")
    monkeypatch.setenv("PITH_CATEGORIES", "cs.LG,hep-th")
    config = load_config(file)
    assert (config.arxiv.contact, config.arxiv.pace_seconds) == ("b", 5)
    assert config.categories == ["cs.LG", "hep-th"]
    assert config.data_dir == tmp_path / "here"
    assert load_config(file, data_dir=Path("there")).data_dir == Path("there")


@pytest.mark.parametrize("name", ["PITH_DATA_DRI", "PITH_ARXIV__PACE_SECS"])
def test_an_unknown_variable_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "x")
    with pytest.raises(ConfigError, match=r"unknown .*; did you mean"):
        load_config(SHIPPED)


def test_limits_are_no_setting_but_reach_every_process(monkeypatch: pytest.MonkeyPatch) -> None:
    small = Config().model_copy(update={"limits": Limits(retry=RetryPolicy(attempts=1), steps=2)})
    assert pickle.loads(pickle.dumps(small)).limits == small.limits != Config().limits  # noqa: S301
    assert "limits" not in small.model_dump()
    monkeypatch.setenv("PITH_LIMITS__STEPS", "1")
    with pytest.raises(ConfigError, match="unknown environment variable PITH_LIMITS__STEPS"):
        load_config(SHIPPED)


def test_without_any_configuration_the_data_folder_must_be_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NoDataFolderError, match=r"'pith-ingest init', or .* --data"):
        load_config()
    with pytest.raises(ConfigError, match="cannot read the configuration"):
        load_config(tmp_path / "other.yaml")
    assert load_config(data_dir="there").data_dir == Path("there")
    assert load_config(write(tmp_path, "categories: [cs.LG]")).data_dir == tmp_path / "data"
    (tmp_path / "config.yaml").unlink()
    monkeypatch.setenv("PITH_DATA_DIR", "here")
    assert load_config().data_dir == Path("here")


def test_an_identity_needs_no_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert load_identity() == Config().identity
    write(tmp_path, "identity: {key_file: mine.key}")
    assert load_identity().key_file == Path("mine.key")
    assert load_identity(here=False) == Config().identity
