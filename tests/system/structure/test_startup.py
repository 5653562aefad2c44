"""What a command imports, for that is what its start costs; time itself is no matter of tests."""

import subprocess
import sys
from pathlib import Path

import pytest
from support.papers.golden_data import FOLDER, GOLDEN
from support.papers.snapshot_rows import text
from support.paths import ROOT

pytestmark = pytest.mark.process

BUNDLE = str(FOLDER / f"{GOLDEN[0].id}.bundle.json")
HEAVY = {"prefect", "pyarrow", "polars", "lxml", "pydantic", "httpx", "rich", "nacl", "msgspec"}
# The console script, and then which modules it has imported, on standard error.
SCRIPT = """
import sys
from flows.cli.app import app
try:
    app()
finally:
    print(*sorted(name for name in sys.modules if "." not in name), file=sys.stderr)
"""


def imported(folder: Path, *words: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words],
        cwd=ROOT,
        # No setting and no Prefect server of the user's.
        env={"HOME": str(folder), "PYTHONPATH": ":".join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return set(done.stderr.splitlines()[-1].split())


def test_help_imports_none_of_the_work(tmp_path: Path) -> None:
    assert not imported(tmp_path, "--help") & HEAVY


@pytest.mark.parametrize("command", ["backfill", "verify", "export"])
def test_a_commands_help_imports_what_typer_does(tmp_path: Path, command: str) -> None:
    # Typer takes pydantic for the parameters of the command that is called.
    assert not imported(tmp_path, command, "--help") & (HEAVY - {"pydantic"})


def test_verifying_a_file_imports_no_tables(tmp_path: Path) -> None:
    assert not imported(tmp_path, "verify", BUNDLE) & {
        "prefect", "pyarrow", "polars", "httpx", "rich",
    }  # fmt: skip


def test_who_names_the_keys_to_trust_needs_no_configuration(tmp_path: Path) -> None:
    modules = imported(tmp_path, "verify", "--trust", "pith.science", BUNDLE)
    heavy = {"prefect", "pyarrow", "polars", "httpx", "rich", "pydantic_settings", "yaml"}
    assert not modules & heavy


def test_a_snapshot_imports_no_http_and_reading_it_no_polars(tmp_path: Path) -> None:
    snapshot, data = tmp_path / "snapshot.json", str(tmp_path / "data")
    snapshot.write_bytes(text("2201.00001"))
    heavy = {"prefect", "polars", "httpx", "rich", "stamina", "arxiv"}
    for words in (
        ["backfill", "--snapshot", str(snapshot)],
        ["show", "2201.00001"],
        ["status"],
        ["export", "--all"],
    ):
        assert not imported(tmp_path, *words, "--data", data) & heavy
