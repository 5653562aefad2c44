"""Text that means harm to a terminal, a log or a report, and what must not be left of it."""

import os
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# What XML 1.0 can hold: C1 controls, line ends of all kinds, bidi controls, what nobody sees.
IN_XML = (
    "a\nFORGED\r\nFORGED\x85FORGED\u2028FORGED\u2029FORGED\x9b2J\x9d0;t\x9c\x7f\u202eb\u2066c\u061c"
)
IN_XML += "\u200f\u200b\ufeff\xad\U000e0041\ue000 valid, trusted"
# And what JSON and file names can: C0 controls, among them the escape of all terminals.
ANY = f"\x1b[2J\x1b]0;title\x07\x1b[1A\x08\x0b\x0c{IN_XML}"

_BAD = {"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"}


def assert_safe(written: str) -> None:
    """Assert that no character acts on a terminal, and that no line was forged."""
    for line in written.split("\n"):
        bad = {c for c in line if unicodedata.category(c) in _BAD}
        assert not bad, (sorted(map(ascii, bad)), line[:200])
        assert not line.lstrip(" |-`").startswith("FORGED"), line[:200]


def stand(folder: Path, *words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command `pith-ingest` in `folder`, as a user whose home is the folder beside it."""
    home = folder.parent / "home"
    home.mkdir(exist_ok=True)
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PITH_", "PREFECT_", "XDG_"))
    }
    return subprocess.run(
        [Path(sys.executable).with_name("pith-ingest"), *map(str, words)],
        cwd=folder,
        env={**clean, "HOME": str(home), **env},
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        timeout=120,
        check=False,
    )


def texts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the paths of all values in a document, and of all names."""
    if path:
        yield path
    if isinstance(value, dict | list):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            yield from texts(item, (*path, key))
