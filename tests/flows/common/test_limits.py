"""The limits of a run: each is read where it holds."""

import re
from dataclasses import fields

from support.paths import ROOT

from flows.common.limits import Limits, RetryPolicy

CODE = "\n".join(path.read_text() for path in sorted((ROOT / "flows").rglob("*.py")))


def unread(names: list[str], holder: str) -> list[str]:
    return [name for name in names if not re.search(rf"\b_?{holder}\.{name}\b", CODE)]


def test_each_limit_is_read_where_it_holds() -> None:
    assert unread([field.name for field in fields(Limits)], "limits") == []
    assert unread([field.name for field in fields(RetryPolicy)], "policy") == []


def test_a_limit_that_nobody_reads_is_found() -> None:
    assert unread(["steps", "no_such_limit"], "limits") == ["no_such_limit"]
