"""Plots stand where their numbers say, and their tables have the same numbers."""

from datetime import date, timedelta

from flows.jobs.reports.plots import HEIGHT, WIDTH, calendar, stacked

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
