"""Imports run one way, from the command line down to the pure core, and in no circle."""

import ast
from graphlib import TopologicalSorter

from support.paths import ROOT

# From the top to the bottom; the three flows at the top of the folder are `flows`.
LAYERS = [
    "flows.cli", "flows", "flows.registry", "flows.orchestration", "flows.jobs", "flows.sources",
    "flows.ingest", "flows.store", "flows.common", "transforms",
]  # fmt: skip
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in ("flows", "transforms")
    for path in (ROOT / package).rglob("*.py")
}


def imported(module: str) -> set[str]:
    """Return the modules of ours that one imports, at its top, in a function or for types."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (names & MODULES.keys()) or {node.module}
    return found & MODULES.keys()


def layer(module: str) -> int:
    return max(n for n, name in enumerate(LAYERS) if f"{module}.".startswith(f"{name}."))


def test_imports_run_downwards() -> None:
    upwards = [
        f"{module} imports {other}"
        for module in MODULES
        for other in imported(module)
        if layer(other) < layer(module)
    ]
    assert upwards == []


def test_imports_make_no_circle() -> None:
    assert len(list(TopologicalSorter({m: imported(m) for m in MODULES}).static_order())) > 100


def test_a_layer_imports_itself_or_what_is_below() -> None:
    """Show that the test above would see an import upwards."""
    assert layer("flows.store.store") > layer("flows.ingest.commit") > layer("flows.rerun")
    assert "flows.rerun" in imported("flows.cli.jobs")


def test_no_module_is_looked_up_by_a_name() -> None:
    named = {
        f"{module}: {node.id}"
        for module in MODULES
        for node in ast.walk(ast.parse(MODULES[module].read_text()))
        if isinstance(node, ast.Name) and node.id in {"import_module", "__import__"}
    }
    assert named == set()
