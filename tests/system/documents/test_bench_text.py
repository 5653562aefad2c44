"""What docs/bench.md says of costs is what a run of the benchmark found.

`docs/bench.json` is that run. After `make bench BIG=3000000`, copy its `bench.json` there and put
what it printed there.
"""

import json
from typing import TYPE_CHECKING

from benchmarks.parts.figures import FIGURES
from benchmarks.parts.table import as_text, markdown, rows_of
from support.paths import ROOT

if TYPE_CHECKING:
    from benchmarks.parts.table import Found

FOUND: "Found" = json.loads((ROOT / "docs" / "bench.json").read_text())
TEXT = (ROOT / "docs" / "bench.md").read_text()


def test_the_table_is_what_was_found() -> None:
    assert markdown(FOUND["figures"]) in TEXT
    machine, sizes, noise, *_ = as_text(FOUND).splitlines()
    assert f"```text\n{machine}\n{sizes}\n{noise}\n```" in TEXT


def test_the_figures_are_those_of_the_measurements_and_their_goals_today() -> None:
    assert list(rows_of(FOUND["series"])) == FOUND["figures"]
    assert [row["name"] for row in FOUND["figures"]] == [figure.name for figure in FIGURES]
