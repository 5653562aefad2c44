"""Text from outside cannot forge a line or move the cursor."""

from pathlib import Path

from oai_pages import page, record
from runs import process
from test_cli import run

from flows.screen import printable


def test_control_characters_are_written_out() -> None:
    assert printable("a\nvalid, trusted\x1b[2J\u202e b") == r"a\nvalid, trusted\x1b[2J\u202e b"
    assert printable("Łukasz 王 ok") == "Łukasz 王 ok"


def test_a_title_cannot_forge_a_line(tmp_path: Path) -> None:
    process(tmp_path, page(record(title="A title\u0085forged\u2028line")))
    found = run(tmp_path, "find", "--data", tmp_path / "data")
    assert len(found.stdout.splitlines()) == 1
    assert r"A title\x85forged\u2028line" in found.stdout
