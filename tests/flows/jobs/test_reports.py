"""What a report says in words, what it counts, and that its page shows text as text."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from flows.common.terminal import Tone
from flows.jobs.reports.activity import make_activity
from flows.jobs.reports.kept import KeptReport, ReportError, parse_report, read_report
from flows.jobs.reports.page import page_of_run, page_values, write_page
from flows.jobs.reports.rendering import render_alone
from flows.jobs.reports.span import read_span, span_headline, span_page
from flows.jobs.reports.words import Figure, attention, duration, headline, tone
from flows.store.layout import Layout
from flows.store.parquet.signed import Signed, count_signed

NIGHT = datetime(2026, 11, 21, 5, tzinfo=UTC)
HOSTILE = (
    "</style><script>document.title='ran'</script><img src=x onerror=alert(1)>\x1b[2J\u202e\udc80"
)
WINDOW = {"window": "cs.LG, 2026-11-16 to now", "listed": 8, "harvested": 8}


def values(moment: datetime = NIGHT, job: str = "nightly", **changed: Any) -> dict[str, Any]:
    """Return a report as JSON has it."""
    counts = {"papers": 8, "new_records": 5, "new_snapshots": 1, "unchanged": 2, "rejects": 0}
    return {
        "run": f"{moment:%Y%m%dT%H%M%SZ}-{job}-00ff",
        "job": job,
        "started_at": moment.isoformat(),
        "finished_at": (moment + timedelta(seconds=90)).isoformat(),
        "exit_status": 0,
        "windows": [WINDOW],
        **changed,
        "counts": counts | changed.get("counts", {}),
    }


def kept(**changed: Any) -> KeptReport:
    return parse_report(json.dumps(values(**changed)).encode())


def write(layout: Layout, report: dict[str, Any]) -> str:
    data = json.dumps(report).encode()
    layout.files.write(layout.report(report["run"], "report.json"), data)
    return str(report["run"])


def tree(text: str | bytes) -> html.HtmlElement:
    return html.fromstring(text)


def found_by(element: html.HtmlElement, path: str) -> list[Any]:
    """Return what an XPath that selects finds."""
    selected = element.xpath(path)
    assert isinstance(selected, list)
    return selected


def page(report: KeptReport) -> str:
    return render_alone("report.html", page_values(report, [])).decode()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({},
         ("Complete: the 8 papers that changed on arXiv in cs.LG from 16 to 21 Nov are all here "
          "(5 new, 1 changed, 2 unchanged)")),
        ({"windows": [{**WINDOW, "window": "all of arXiv, 2026-11-20 to 2026-11-20"}],
          "counts": {"papers": 1234, "new_records": 1234, "new_snapshots": 0, "unchanged": 0,
                     "rejects": 3}, "exit_status": 1},
         ("Complete: the 1,234 papers that changed on arXiv on 20 Nov are all here (1,234 new); "
          "3 rejects")),
        # As older reports name a set.
        ({"windows": [{**WINDOW, "window": "cs:cs:LG, 2026-11-16 to now", "listed": 0}],
          "counts": {"papers": 0, "new_records": 0, "new_snapshots": 0, "unchanged": 0}},
         "Complete: no paper changed on arXiv in cs.LG from 16 to 21 Nov"),
        ({"windows": [{**WINDOW, "listed": 5000}]},
         ("Complete: all 5,000 papers that changed on arXiv in cs.LG from 16 to 21 Nov are here; "
          "this run brought 8 of them (5 new, 1 changed, 2 unchanged)")),
        ({"windows": [{**WINDOW, "was_done": True}]},
         "Complete: 1 window done before, nothing was left"),
        ({"windows": [WINDOW, {**WINDOW, "problem": "a page broke"}], "exit_status": 1},
         "Not complete: 1 of 2 windows is not proven; 8 papers came and are kept"),
        ({"unreachable": "no route", "exit_status": 3},
         "Not complete: arXiv could not be reached; 8 papers came and are kept"),
        ({"windows": [], "input_file": {"name": "a.json", "size": 9, "sha256": "00"},
          "counts": {"lines": 8}},
         ("Complete: every one of 8 lines of a.json is accounted for "
          "(5 new, 1 changed, 2 unchanged)")),
        ({"windows": [], "nouns": {"units": "shards", "papers": "records"},
          "counts": {"reissued": 1, "unchanged": 7}},
         "Done: 1 receipt issued again; 7 had the current key"),
        ({"windows": [], "failures": {"a": "b"}, "exit_status": 1},
         "Done: 8 papers came (5 new, 1 changed, 2 unchanged); 1 input could not be used"),
    ],
)  # fmt: skip
def test_a_sentence_says_how_a_run_went(changed: dict[str, Any], said: str) -> None:
    assert headline(kept(**changed)) == said


def test_what_needs_attention_is_named_and_nothing_else() -> None:
    assert attention(kept()) == []
    assert tone(kept()) is Tone.GOOD
    reasons = {"no title": 7, "no authors": 2, "odd": 1, "odder": 1}
    rejects = {"rejects": 11, "by_reason": reasons}
    problem = {**WINDOW, "problem": "a page broke"}
    told = attention(kept(counts=rejects, windows=[problem], failures={"x.xml": "no XML"}))
    assert told == [
        "Not complete: cs.LG, 2026-11-16 to now: a page broke",
        "The same command goes on where this run stopped; nothing is lost.",
        "11 rejects, kept with their bytes: no title (7); no authors (2); odd (1); 1 other reason",
        "Could not be used: x.xml: no XML",
    ]


def test_a_number_is_compared_with_the_median_of_the_runs_before() -> None:
    usual = (100.0,) * 10
    assert Figure("papers", (*usual, 112)).compared == (
        "12 % more than the median of the last 10 (100)"
    )
    assert Figure("papers", (*usual, 50)).compared.startswith("50 % fewer than")
    assert Figure("papers", (100, 100)).compared == "the same as the run before (100)"
    assert Figure("papers", (0, 0, 7)).compared == "more than the median of the last 2 (0)"
    assert Figure("papers", (7,)).compared == "no run before it to compare with"
    assert Figure("median lag", (2, None), "day").compared == "not counted"
    assert Figure("duration", (60, 120), "seconds").compared.endswith("the run before (1 min 0 s)")


def test_a_time_span_is_told_in_the_units_of_people() -> None:
    told = [duration(seconds) for seconds in (0.0004, 0.04, 4.14, 59.6, 61, 3599.9, 18_420)]
    assert told == ["0 ms", "40 ms", "4.1 s", "1 min 0 s", "1 min 1 s", "1 h 0 min", "5 h 7 min"]


def test_signed_papers_are_counted_by_day_of_change_and_archive() -> None:
    today, day = date(2026, 11, 21), date(2026, 11, 20)
    papers = [
        ("cs.LG", day), ("cs.CV", day), ("hep-th", day), ("math.AG", date(2026, 11, 22)),
        ("cs.LG", date(2020, 1, 1)), ("cs.LG", None),
    ]  # fmt: skip
    signed = count_signed([name for name, _ in papers], [changed for _, changed in papers], today)
    signed.add(count_signed(["hep-th"], [day], today))
    found = make_activity(signed)
    assert found.papers == {
        "2020-01-01": {"cs": 1}, "2026-11-20": {"cs": 2, "hep-th": 2}, "2026-11-22": {"math": 1}
    }  # fmt: skip
    assert found.lag_days == {0: 1, 1: 4, 366: 1}
    assert (found.step, found.undated) == ("day", 1)
    assert make_activity(count_signed([], [], today)).papers == {}


def test_a_backfill_of_years_is_counted_by_month_whatever_its_units_hold() -> None:
    first, today = date(2000, 1, 1), date(2026, 1, 1)
    days = [first + timedelta(days=n) for n in range(8_000)]
    whole = count_signed(["cs.LG"] * len(days), days, today)
    assert len(whole.months) == 263
    parts = Signed()
    for start in range(0, len(days), 50):
        some = days[start : start + 50]
        parts.add(count_signed(["cs.LG"] * len(some), some, today))
    whole.add(count_signed(["cs.LG"], [days[0]], today))
    parts.add(count_signed(["cs.LG"], [days[0]], today))
    assert make_activity(whole) == make_activity(parts)
    assert make_activity(parts).step == "month"
    assert make_activity(parts).papers["2000-01-01"] == {"cs": 32}
    assert sum(sum(archives.values()) for archives in make_activity(parts).papers.values()) == 8_001


def test_hostile_text_stays_text_in_every_place_of_a_page() -> None:
    counts = {"rejects": 1, "by_reason": {HOSTILE: 1}, "by_category": {HOSTILE: 1}}
    report = kept(
        counts=counts, failures={HOSTILE: HOSTILE}, coverage=[HOSTILE], papers=[HOSTILE],
        windows=[{"window": HOSTILE, "problem": HOSTILE}], unreachable=HOSTILE, stopped=HOSTILE,
        seconds={HOSTILE: 1.0}, key_id=HOSTILE, key_fingerprint=HOSTILE, builder_version=HOSTILE,
        input_file={"name": HOSTILE, "size": 1, "sha256": HOSTILE},
        nouns={"units": HOSTILE, "papers": HOSTILE}, exit_status=3, job=HOSTILE,
        signed={"papers": {"2026-11-20": {HOSTILE: 1}}, "lag_days": {"0": 1}},
    )  # fmt: skip
    text = page(report)
    found = tree(text)
    assert found_by(found, "//script | //img | //*[@onerror] | //@href") == []
    assert found.text_content().count("document.title") > 15
    assert not {"\x1b", "\u202e"} & set(text)


def test_a_page_is_whole_by_itself_and_forbids_all_else() -> None:
    text = page(kept())
    found = tree(text)
    (policy,) = found_by(found, "//meta[@http-equiv='Content-Security-Policy']/@content")
    assert str(policy).startswith("default-src 'none'; style-src 'sha256-")
    assert found_by(found, "//@src | //@style | //link | //script | //iframe") == []
    assert "url(" not in text
    assert "@import" not in text


def test_a_run_of_nothing_and_one_of_everything_have_a_page() -> None:
    empty = {"papers": 0, "new_records": 0, "new_snapshots": 0, "unchanged": 0}
    assert "no paper" in page(kept(counts=empty, windows=[{**WINDOW, "listed": 0}]))
    categories = {f"cs.X{n}": n + 1 for n in range(1_000)}
    archives = {f"a{n}": 1 for n in range(1_000)}
    text = page(kept(
        counts={"by_category": categories},
        signed={"papers": {"2026-11-20": archives}, "lag_days": {"0": 1_000}},
    ))  # fmt: skip
    assert "988 others" in text
    assert "All 1,000 categories" in text
    assert len(text) < 200_000


@pytest.mark.parametrize(
    "damage",
    [
        {"counts": {"papers": -1}},
        {"counts": {"papers": 2**60}},
        {"counts": {"by_reason": {"a": "many"}}},
        {"started_at": "yesterday"},
        {"started_at": "2026-11-21T05:00:00"},
        {"exit_status": 99},
        {"windows": [7]},
        {"job": "backfill", "run": "20261121T050000Z-nightly-00ff"},
        {"seconds": {"a": -1}},
        {"seconds": {"a": float("nan")}},
        {"seconds": {"a": float("inf")}},
        {"signed": {"papers": {"0001-01-01": {"cs": 1}, "9999-12-31": {"cs": 1}}}},
        {"run": "20261121T050000Z-nightly-0bad"},
    ],
    ids=str,
)
def test_a_damaged_report_is_named_and_not_shown(tmp_path: Path, damage: dict[str, Any]) -> None:
    layout, report = Layout(tmp_path), values(**damage)
    name = values()["run"]
    layout.files.write(layout.report(name, "report.json"), json.dumps(report).encode())
    with pytest.raises(ReportError, match=r"runs/20261121T050000Z-nightly-00ff/report.json is dam"):
        read_report(layout, name)


@pytest.mark.parametrize("data", [b"", b"[]", b"{" * 100_000, b"\xff", b'{"run": 1}'], ids=len)
def test_what_is_no_report_is_damaged(tmp_path: Path, data: bytes) -> None:
    layout, name = Layout(tmp_path), values()["run"]
    layout.files.write(layout.report(name, "report.json"), data)
    with pytest.raises(ReportError, match="is damaged"):
        read_report(layout, name)


def test_a_run_is_compared_with_the_last_ten_of_its_job_that_can_be_read(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for ago in range(14, 0, -1):
        write(layout, values(NIGHT - timedelta(days=ago), counts={"papers": 100 + ago}))
    write(layout, values(NIGHT - timedelta(hours=1), job="rerun", counts={"papers": 9_999}))
    run = write(layout, values())
    damaged = values(NIGHT - timedelta(days=1))["run"]
    (tmp_path / "runs" / damaged / "report.json").write_bytes(b"{")
    assert b"the median of the last 9 (106)" in page_of_run(layout, run)


def test_a_span_takes_older_reports_and_names_what_it_cannot_read(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for ago in range(6):
        signed = {"papers": {"2026-11-20": {"cs": 1}}, "lag_days": {"1": 1}}
        newer: dict[str, Any] = {"signed": signed} if ago < 3 else {}
        write(layout, values(NIGHT - timedelta(days=ago), **newer))
    write(layout, values(NIGHT - timedelta(days=40)))
    damaged = values(NIGHT - timedelta(days=2))["run"]
    (tmp_path / "runs" / damaged / "report.json").write_bytes(b'{"run": ')
    (tmp_path / "runs" / "20261120T010000Z-nightly-0000").mkdir()
    span = read_span(layout, date(2026, 11, 1), date(2026, 11, 21))
    assert span_headline(span) == (
        "5 runs from 1 to 21 Nov, all complete: 25 new papers, 5 changed, 0 rejects"
    )
    assert [damaged in line or "0000 has no report" in line for line in span.unreadable] == [
        True, True
    ]  # fmt: skip
    text = tree(span_page(span)).text_content()
    assert "3 reports of an older version did not count that" in " ".join(text.split())
    assert "No nightly run began on 19 Nov" in text
    assert damaged in text


def test_a_span_of_years_is_drawn_by_month_and_one_without_runs_says_so(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    for ago in range(0, 900, 100):
        write(layout, values(NIGHT - timedelta(days=ago)))
    text = span_page(read_span(layout, date(1, 1, 1), date(9999, 12, 31))).decode()
    assert "Papers that came, by the month of the run" in text
    assert len(text) < 100_000
    empty = span_page(read_span(layout, date(2001, 1, 1), date(2001, 1, 31)))
    assert b"No run from 1 to 31 Jan has a report" in empty


def test_a_page_that_cannot_be_written_fails_no_run(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    layout, report = Layout(tmp_path), values()
    (tmp_path / "runs").write_text("in the way")
    write_page(layout, report["run"], json.dumps(report).encode())
    assert "no report.html was written" in caplog.text
