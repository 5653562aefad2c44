"""Plots stand where their numbers say, and their tables have the same numbers."""

import re
from datetime import date, timedelta

from flows.jobs.reports.plots import (
    HEIGHT,
    SPARK_HEIGHT,
    WIDTH,
    bars,
    calendar,
    spark,
    stacked,
)

JAN, FEB, APR = date(2020, 1, 1), date(2020, 2, 1), date(2020, 4, 1)


def test_the_table_has_every_month_and_every_count() -> None:
    plot = stacked([(JAN, "cs", 3), (APR, "math", 1), (APR, "cs", 2), (JAN, "cs", 1)], "month")
    assert plot is not None
    assert [one.name for one in plot.series] == ["cs", "math"]
    assert plot.rows == [
        ("2020-01", [4, 0]), ("2020-02", [0, 0]), ("2020-03", [0, 0]), ("2020-04", [2, 1])
    ]  # fmt: skip
    assert [one.total for one in plot.series] == [6, 1]


def test_areas_are_stacked_between_the_axis_and_the_top() -> None:
    plot = stacked([(JAN, "cs", 2), (JAN, "math", 2), (FEB, "cs", 4)], "month")
    assert plot is not None
    half, whole = WIDTH / 2, WIDTH
    cs, math = (one.path for one in plot.series)
    assert cs == f"M0 {HEIGHT}.0V100.0H{half}V0.0H{whole}.0V200.0H{half}V200.0H0.0Z"
    assert math == f"M0 100.0V0.0H{half}V0.0H{whole}.0V0.0H{half}V100.0H0.0Z"
    assert [tick.text for tick in plot.up] == ["4", "2", "0"]


def test_archives_beyond_the_largest_are_one() -> None:
    plot = stacked([(JAN, f"a{n}", n) for n in range(1, 10)], "month")
    assert plot is not None
    assert [one.name for one in plot.series] == ["a9", "a8", "a7", "a6", "a5", "a4", "other"]
    assert plot.series[-1].total == 1 + 2 + 3
    assert sum(plot.rows[0][1]) == sum(range(10))


def test_a_backfill_does_not_flatten_the_nights() -> None:
    days = [(JAN + timedelta(days=n), "new", 100 + n) for n in range(30)]
    plot = stacked([*days, (JAN, "new", 3_000_000)], "day")
    assert plot is not None
    assert plot.cut
    assert plot.up[0].text == "200"
    assert max(row[0] for _, row in plot.rows) == 3_000_100


def test_nothing_is_no_plot() -> None:
    assert stacked([], "month") is None


def test_a_calendar_tells_what_is_proven_what_is_not_and_what_is_to_come() -> None:
    today = date(2026, 11, 21)
    proven = [(date(2026, 11, 1), date(2026, 11, 18))]
    year = calendar(proven, today)
    kinds = [day.kind for day in year.days]
    assert len(kinds) == 53 * 7
    assert kinds.count("proven") == year.proven == 18
    # Friday and Thursday are over, but not proven; Saturday is today, Sunday is to come.
    assert kinds[-5:] == ["proven", "open", "open", "later", "later"]


def test_columns_are_as_high_as_their_numbers_and_stand_apart() -> None:
    plot = stacked([(JAN, "cs", 4), (JAN + timedelta(days=1), "cs", 2)], "day")
    assert plot is not None
    heights = [HEIGHT - float(top) for top in re.findall(r"V([\d.]+)H", plot.series[0].path)]
    assert heights == [HEIGHT, HEIGHT / 2]
    edges = [float(x) for x in re.findall(r"[MH]([\d.]+)", plot.series[0].path)]
    assert 0 < edges[0] < edges[1] < WIDTH / 2 < edges[2] < edges[3] < WIDTH


def test_series_keep_the_order_that_they_are_given() -> None:
    plot = stacked([(JAN, "b", 9), (JAN, "a", 1)], "day", order=("a", "b", "c"))
    assert plot is not None
    assert [(one.name, one.total) for one in plot.series] == [("a", 1), ("b", 9), ("c", 0)]


def test_an_axis_of_papers_has_no_half_paper() -> None:
    for most in range(1, 50):
        plot = stacked([(JAN, "cs", most)], "month")
        assert plot is not None
        assert all(tick.text.isdecimal() for tick in plot.up)


def test_bars_are_as_long_as_their_numbers() -> None:
    rows = bars([("a", 50), ("b", 1_000), ("c", 0)])
    assert [(row.name, row.text, row.share) for row in rows] == [
        ("a", "50", 5.0), ("b", "1,000", 100.0), ("c", "0", 0.0)
    ]  # fmt: skip


def test_of_a_thousand_names_the_rest_are_one_bar_and_none_is_lost() -> None:
    rows = bars((f"c{n}", 1) for n in range(1_000))
    assert len(rows) == 13
    assert (rows[-1].name, rows[-1].value) == ("988 others", 988)


def test_no_bars_are_no_fault() -> None:
    assert bars([]) == []
    assert [row.share for row in bars([("a", 0)])] == [0]
    assert spark([0, 0], 5).now == spark([0], 5).before == ""


def test_the_last_bar_of_a_spark_is_apart_and_at_the_right_end() -> None:
    drawn = spark([1, 2, 4], 10)
    assert drawn.before.count("Z") == 2
    tops = [float(top) for top in re.findall(r"V([\d.]+)H", drawn.before + drawn.now)]
    assert [SPARK_HEIGHT - top for top in tops] == [SPARK_HEIGHT / 4, SPARK_HEIGHT / 2, 24]
    assert drawn.now.startswith("M91.0")
    assert "H99.0" in drawn.now
