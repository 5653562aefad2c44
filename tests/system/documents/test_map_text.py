"""The map in docs/architecture.md and CONTRIBUTING.md is of the house as it is."""

import re

import pytest
from support.paths import ROOT

ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()
TEXTS = {
    "docs/architecture.md": ARCHITECTURE,
    "CONTRIBUTING.md": (ROOT / "CONTRIBUTING.md").read_text(),
}
TREE = ARCHITECTURE.split("```text\n")[1].split("```")[0]


@pytest.mark.parametrize("name", TEXTS)
def test_every_path_that_it_names_exists(name: str) -> None:
    named = set(re.findall(r"`((?:transforms|flows|tests|docs)/[\w/.-]*)`", TEXTS[name]))
    assert len(named) > 5
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("room", ["flows", "transforms"])
def test_the_tree_has_every_folder_and_no_other(room: str) -> None:
    _, _, below = TREE.partition(f"{room}/\n")
    lines = below.split("\n\n" if room == "flows" else "\0")[0].split("transforms/\n")[0]
    drawn = set(re.findall(r"^[├└]── (\w+)/", lines, re.MULTILINE))
    there = {path.name for path in (ROOT / room).iterdir() if path.is_dir()} - {"__pycache__"}
    assert drawn == there


def test_the_layers_are_those_that_the_test_of_imports_holds() -> None:
    said = re.search(r"Imports run one way, `([^`]*)`", ARCHITECTURE)
    assert said
    test = (ROOT / "tests" / "system" / "structure" / "test_imports.py").read_text()
    layers = [f"flows.{name}" for name in said[1].split(" → ")[:-1]]
    held = [name for name in re.findall(r'"(flows[\w.]*|transforms)"', test) if "." in name]
    assert held[: len(layers)] == layers


def test_the_readme_links_to_both() -> None:
    readme = (ROOT / "README.md").read_text()
    assert "(docs/architecture.md)" in readme
    assert "(CONTRIBUTING.md)" in readme
