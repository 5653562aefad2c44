"""Nothing is written where nothing was named; what is written where, docs/install.md says."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from arxiv_server import ArxivServer, make_library
from support.hostile.text import stand
from support.paths import ROOT
from support.runs.runs import SAMPLE

from flows.cli.app import app
from flows.common.errors import NoDataFolderError

NEEDS_DATA = {
    "backfill": ["--raw", str(SAMPLE)],
    "backfill --dry-run": ["--category", "cs.LG"],
    "nightly": [],
    "rerun": ["0903.0442"],
    "rerun --reissue": ["0903.0442"],
    "serve": [],
    "show": ["0903.0442"],
    "find": [],
    "export": ["--all"],
    "status": [],
    "doctor": [],
    "doctor --repair": [],
    "rebuild-catalog": [],
    "registry serve": [],
    "registry publish": ["--to", "site"],
}
TODAY = datetime.now(UTC).date()


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """Return an empty folder, beside an empty home."""
    for name in ("home", "here", "there", "tmp"):
        (tmp_path / name).mkdir()
    return tmp_path / "here"


def below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


@pytest.mark.parametrize("name", NEEDS_DATA)
def test_a_command_without_a_data_folder_stops_and_writes_nothing(
    empty: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.chdir(empty)
    monkeypatch.setenv("HOME", str(empty.parent / "home"))
    monkeypatch.setenv("PREFECT_API_URL", "")
    with pytest.raises(NoDataFolderError, match=r"'pith-ingest init', or .* --data DIR") as caught:
        app([*name.split(), *NEEDS_DATA[name]], standalone_mode=False)
    assert caught.value.exit_status == 2
    assert below(empty) | below(empty.parent / "home") == set()


@pytest.fixture(scope="module")
def arxiv() -> Iterator[dict[str, str]]:
    with ArxivServer(make_library(9, 3, TODAY - timedelta(days=2), 2), today=TODAY) as server:
        yield {
            "PITH_ARXIV__OAI_URL": server.oai_url,
            "PITH_ARXIV__ATOM_URL": server.atom_url,
            "PITH_ARXIV__PACE_SECONDS": "0",
        }


def documented() -> set[str]:
    """Return the files in a user's home that the table names."""
    table = (ROOT / "docs" / "install.md").read_text().partition("## What is written where")[2]
    paths = re.findall(r"`~/([^`]*)`", table)
    return {path for path in paths if not path.endswith("/")}


@pytest.mark.process
def test_the_home_has_what_the_table_says_and_the_folder_nothing(
    empty: Path, arxiv: dict[str, str]
) -> None:
    folder, home, temporary = (empty.parent / name for name in ("there", "home", "tmp"))
    key = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
    for words in (["nightly", "--data", folder], ["trust", "add", key]):
        done = stand(empty, *words, TMPDIR=str(temporary), **arxiv)
        assert done.returncode == 0, done.stderr
    refused = stand(empty, "find")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert refused.stderr.startswith("pith-ingest: there is no config.yaml here that says where")
    assert below(empty) | below(temporary) == set()
    assert {path for path in below(home) if (home / path).is_file()} == documented()
