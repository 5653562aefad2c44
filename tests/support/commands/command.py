"""The command line in a process of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from arxiv_server.server import ArxivServer

from support.paths import ROOT


def run(folder: Path, *words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return _run([], folder, words, env)


def without_rights(folder: Path, *words: str | Path) -> subprocess.CompletedProcess[str]:
    """Run without root's right to read and write everything, so that rights count."""
    if os.geteuid() != 0:
        return run(folder, *words)
    dropped = "-dac_override,-dac_read_search"
    return _run(["setpriv", f"--bounding-set={dropped}", f"--inh-caps={dropped}"], folder, words)


def _run(
    before: list[str],
    folder: Path,
    words: Sequence[str | Path],
    env: Mapping[str, str] = MappingProxyType({}),
) -> subprocess.CompletedProcess[str]:
    own = ("PITH_", "PREFECT_")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(own)}
    settings = {"PITH_IDENTITY__KEY_FILE": str(folder / "signing.key"), "HOME": str(folder)}
    return subprocess.run(
        [*before, sys.executable, "-m", "flows.cli.main", *map(str, words)],
        cwd=ROOT,
        env={**clean, **settings, **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def assert_one_sentence(done: subprocess.CompletedProcess[str], *parts: str) -> None:
    assert done.stderr.startswith("pith-ingest: ")
    assert done.stderr.count("\n") == 1
    for part in parts:
        assert part in done.stderr


def environment(folder: Path, server: ArxivServer) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("PITH_", "PREFECT_"))}  # fmt: skip
    return kept | {
        "HOME": str(folder),
        "PITH_DATA_DIR": str(folder / "data"),
        "PITH_IDENTITY__KEY_FILE": str(folder / "signing.key"),
        "PITH_ARXIV__OAI_URL": server.oai_url,
        "PITH_ARXIV__ATOM_URL": server.atom_url,
        "PITH_ARXIV__PACE_SECONDS": "0",
        "PITH_ARXIV__PACE_FILE": str(folder / "pace.lock"),
    }
