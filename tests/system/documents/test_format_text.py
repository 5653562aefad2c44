"""What docs/format.md says is what the code does."""

import json
import re
import subprocess
import sys

import pytest
from support.paths import ROOT

from transforms.bundle.events import EMPTY_SECTION_SHA256, EXCERPT_LENGTH
from transforms.bundle.state import LISTS
from transforms.encoding import timestamps as instants
from transforms.encoding.canonical import MAX_DEPTH
from transforms.encoding.strict_json import MAX_BYTES
from transforms.verify import part_checks
from transforms.verify.checks import CHECKS

pytestmark = pytest.mark.process

TEXT = (ROOT / "docs" / "format.md").read_text()
SECTIONS = {int(part[0]): part for part in re.split(r"^## (?=\d)", TEXT, flags=re.MULTILINE)[1:10]}


def test_it_names_every_check_in_its_order() -> None:
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", SECTIONS[9], re.MULTILINE)
    named = [name for row in rows for name in re.findall(r"\w+", row)]
    assert named == ["canonical_json", *(name for name, _ in CHECKS), "columns", "metadata"]


def test_the_page_on_verifying_names_every_check_too() -> None:
    text = (ROOT / "docs" / "verify.md").read_text()
    assert [name for name, _ in CHECKS if f"`{name}`" not in text] == []


def test_its_whitespace_is_that_of_the_hashes() -> None:
    said = set()
    (listed,) = re.findall(r"\*\*Whitespace\*\* is (.*?) and nothing else", SECTIONS[2], re.DOTALL)
    for first, last in re.findall(r"([0-9A-F]{4})(?:–([0-9A-F]{4}))?", listed):  # noqa: RUF001 - as the text has it
        said |= set(range(int(first, 16), int(last or first, 16) + 1))
    assert said == {n for n in range(0x110000) if len(f"a{chr(n)}b".split()) == 2}


def test_its_limits_are_those_of_the_code() -> None:
    assert f"at most {MAX_BYTES} bytes" in SECTIONS[2]
    assert f"more than {MAX_DEPTH} arrays and objects" in SECTIONS[2]
    assert f"at most {EXCERPT_LENGTH} characters" in SECTIONS[5]
    assert EMPTY_SECTION_SHA256 in SECTIONS[5]
    assert f"not before {instants.EARLIEST_YEAR}" in SECTIONS[4]
    assert f"more than {part_checks.MAX_CLOCK_ERROR.days} days after" in SECTIONS[9]


def test_it_names_every_list_and_every_reason() -> None:
    for event_type, name in LISTS.items():
        assert re.search(rf"`{event_type}` in\s+`{name}`", SECTIONS[6])
    reasons = set(re.findall(r"^   \| `([^`]+)` \|", SECTIONS[6], re.MULTILINE)) - {"reason"}
    vectors = json.loads((ROOT / "tests" / "vectors" / "merge.json").read_text())
    made = {e["reason"] for case in vectors["cases"] for e in case["state"]["invalid_events"]}
    assert made == reasons


def test_every_file_that_it_links_to_exists() -> None:
    linked = re.findall(r"\]\(([^)#]+)\)", TEXT)
    named = re.findall(r"`(tests/[\w/.]+)`", TEXT)
    assert len(linked) > 3
    assert [path for path in linked if not (ROOT / "docs" / path).exists()] == []
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_its_command_runs_as_printed() -> None:
    (command,) = re.findall(r"^```sh\n\.venv/bin/python (.*)\n```", TEXT, re.MULTILINE)
    done = subprocess.run(
        [sys.executable, *command.split()], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "mutations: 2000 tried" in done.stdout
