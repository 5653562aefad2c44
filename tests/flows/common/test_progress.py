"""Progress tells how many, how fast and until when; a bar on a terminal, log lines elsewhere."""

import logging
import re
import sys
from collections.abc import Iterator

import pytest

from flows.common.process import progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("flows.common.process.progress.time.monotonic", lambda: now[0])
    return now


def work(clock: list[float], seconds: float, number: int) -> Iterator[int]:
    for item in range(number):
        clock[0] += seconds
        yield item


def test_lines_tell_rate_and_end_where_the_total_is_known(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "pith_ingest"):
        list(progress.track(work(clock, 6, 4), total=4, what="steps"))
    first, last = caplog.messages
    assert re.fullmatch(r"2 of 4 steps, 10/min, done about \d\d:\d\d", first)
    assert last == "4 of 4 steps, 10/min"


def test_lines_without_a_total_tell_the_rate(
    clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO, "pith_ingest"):
        list(progress.track(work(clock, 20, 2), total=None, what="steps"))
    assert caplog.messages == ["1 of ? steps, 3.0/min", "2 of ? steps, 3.0/min"]


def test_an_end_that_is_far_has_a_date(clock: list[float]) -> None:
    meter = progress.Meter()
    clock[0] += 3600
    meter.add(1)
    assert re.search(r"done about \d{4}-\d\d-\d\d \d\d:\d\d$", meter.expect(100))


def test_a_terminal_gets_a_bar(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "pith_ingest")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    assert list(progress.track(range(3), total=3, what="steps")) == [0, 1, 2]
    shown = capsys.readouterr().err
    assert "steps" in shown
    assert "3/3" in shown
    assert "/min" in shown
