"""`transforms/` is pure: no I/O, clock, randomness, logging or Prefect."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest
from support.paths import ROOT

MODULES = sorted((ROOT / "transforms").rglob("*.py"))
ALLOWED = {
    "base64", "binascii", "collections", "dataclasses", "datetime", "enum", "functools",
    "hashlib", "itertools", "json", "re", "struct", "typing", "zlib",
    "lxml", "nacl", "msgspec", "operator", "orjson", "pylatexenc", "transforms", "unidecode",
}  # fmt: skip
IMPURE = {
    "asyncio", "http.client", "httpx", "logging", "polars", "prefect", "pyarrow", "random",
    "requests", "shutil", "socket", "sqlite3", "ssl", "subprocess", "tempfile", "urllib.request",
}  # fmt: skip


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_imports_only_what_is_pure(module: Path) -> None:
    tree = ast.parse(module.read_text())
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
        )
    }
    assert imported <= ALLOWED


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_reads_no_clock(module: Path) -> None:
    called = {node.attr for node in ast.walk(ast.parse(module.read_text()))
              if isinstance(node, ast.Attribute)}  # fmt: skip
    assert not called & {"now", "utcnow", "today", "read_text", "read_bytes"}


def test_importing_transforms_imports_nothing_impure() -> None:
    script = "import sys, transforms, transforms.verify.verify; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert not set(run.stdout.split()) & IMPURE
