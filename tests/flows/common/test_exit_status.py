"""The exit statuses: what docs/jobs.md says of them, and that nothing else names one."""

import re

from support.paths import ROOT

from flows.common import errors
from flows.common.errors import PithError
from flows.common.process.exit_status import MEANINGS, ExitStatus

ROW = re.compile(r"^\| (\d+) \| (.+) \|$", re.MULTILINE)
A_NUMBER = re.compile(r"exit_status\b[^=\n]*= *\d|typer\.Exit\(\d|sys\.exit\(\d|SystemExit\(\d")


def test_the_table_is_that_of_the_code() -> None:
    rows = ROW.findall((ROOT / "docs" / "jobs.md").read_text())
    assert rows == [(str(int(status)), MEANINGS[status]) for status in ExitStatus]


def test_no_command_and_no_error_names_a_status_by_its_number() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {line}"
        for path in (ROOT / "flows").rglob("*.py")
        for line in path.read_text().splitlines()
        if A_NUMBER.search(line)
    ]
    assert found == []


def test_every_error_that_ends_a_command_has_one_of_them() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    ended = [kind.exit_status for kind in kinds if issubclass(kind, PithError)]
    assert len(ended) > 8
    assert all(isinstance(status, ExitStatus) for status in ended)
