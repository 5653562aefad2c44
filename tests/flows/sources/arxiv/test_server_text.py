"""What a server says, in any part of its answer, is safe wherever it is written."""

import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from support.hostile.text import ANY, IN_XML, assert_safe
from support.papers.oai_pages import CLOSE, OPEN, error, page, record

from flows.cli import main as cli
from flows.common.process.progress import LOGGER

pytestmark = pytest.mark.process

RERUN = ["rerun", "0903.0442"]
HARVEST = ["backfill", "--category", "cs.LG", "--from", "2026-01-01", "--until", "2026-01-02"]
SEARCH = ["backfill", "--search", "cat:cs.LG"]

HEADER = ANY.encode().replace(b"\r", b"").replace(b"\n", b"")
DAY = "2026-03-02T00:00:00Z"
ONE_LINE = "".join(IN_XML.split())


def whole(body: bytes, *headers: bytes, status: bytes = b"200 OK") -> bytes:
    lines = [b"HTTP/1.1 " + status, b"Content-Length: %d" % len(body), b"Connection: close"]
    return b"\r\n".join([*lines, *headers]) + b"\r\n\r\n" + body


def lists(body: str) -> bytes:
    return f"{OPEN}{body}{CLOSE}".encode()


def feed(body: str) -> bytes:
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" '
        'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/">'
        "<opensearch:totalResults>1</opensearch:totalResults>"
        f"<opensearch:startIndex>0</opensearch:startIndex><entry>{body}"
        f"<updated>{DAY}</updated><published>{DAY}</published></entry></feed>"
    ).encode()


ANSWERS: dict[str, tuple[list[str], bytes]] = {
    "a reason phrase": (RERUN, whole(b"", status=b"503 " + HEADER)),
    "a status that is none": (RERUN, whole(b"", status=HEADER)),
    "a protocol that is none": (RERUN, ANY.encode()),
    "a header's name": (RERUN, whole(b"", HEADER + b": x")),
    "a header's value": (RERUN, whole(b"", b"X-A: " + HEADER)),
    "a line break in a header": (RERUN, whole(b"", b"X-A: " + ANY.encode())),
    "a wish to wait": (RERUN, whole(b"", b"Retry-After: " + HEADER, status=b"503 No")),
    "an encoding": (RERUN, whole(b"x", b"Content-Encoding: \x9b2J\xc2\x85FORGED")),
    "a length": (RERUN, b"HTTP/1.1 200 OK\r\nContent-Length: \x9b2J\r\n\r\n"),
    "another place": (
        RERUN, whole(b"", b"Location: http://x/\xc2\x9b2J\xe2\x80\xae", status=b"302 F"),
    ),
    "another place that is none": (
        RERUN, whole(b"", b"Location: http://[" + ONE_LINE.encode(), status=b"302 F"),
    ),
    "a status of 404": (RERUN, whole(ANY.encode(), status=b"404 " + HEADER)),
    "a status of 403": (RERUN, whole(ANY.encode(), status=b"403 " + HEADER)),
    "broken gzip": (RERUN, whole(b"\x1f\x8b\x08" + ANY.encode(), b"Content-Encoding: gzip")),
    "a page for people": (RERUN, whole(f"<html>{IN_XML}".encode())),
    "another root": (RERUN, whole(f"<a\u00b7b xmlns='{IN_XML}'/>".encode())),
    "no XML": (RERUN, whole(ANY.encode())),
    "an error": (RERUN, whole(error("idDoesNotExist", IN_XML))),
    "an unknown error": (RERUN, whole(error(IN_XML, IN_XML))),
    "an error of megabytes": (RERUN, whole(error("x", IN_XML * 40_000))),
    "a reject": (RERUN, whole(page(record(title=IN_XML, categories=IN_XML)))),
    "a paper of another id": (RERUN, whole(page(record(f"2201.00001{IN_XML}")))),
    "names of sets": (HARVEST, whole(lists(
        f"<ListSets><set><setSpec>{IN_XML}</setSpec><setName>{IN_XML}</setName></set></ListSets>"
    ))),
    "a first day": ([*HARVEST, "--category", "all"], whole(lists(
        f"<Identify><repositoryName>{IN_XML}</repositoryName><earliestDatestamp>{IN_XML}"
        f"</earliestDatestamp><granularity>{IN_XML}</granularity></Identify>"
    ))),
    "an error to a harvest": (HARVEST, whole(error("badVerb", IN_XML))),
    "a search's error": (SEARCH, whole(feed(
        f"<id>http://arxiv.org/api/errors#{ONE_LINE}</id><title>Error</title>"
        f"<summary>{IN_XML}</summary>"
    ))),
    "a search's ids": (SEARCH, whole(feed(
        f"<id>http://arxiv.org/abs/{ONE_LINE}</id><title>{IN_XML}</title>"
    ))),
}  # fmt: skip


class _Handler(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        while self.rfile.readline().strip():
            pass
        self.wfile.write(self.server.answer)  # type: ignore[attr-defined]  # set below


@contextmanager
def answering(answer: bytes) -> Iterator[str]:
    """Serve the same bytes to whatever is asked, each time on a connection of its own."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        server.answer = answer  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Wait for nothing, and run the command line in this process as in its own."""
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=lambda _: None))
    monkeypatch.setattr(LOGGER, "handlers", [])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PITH_ARXIV__PACE_SECONDS", "0")
    monkeypatch.setenv("PITH_ARXIV__PACE_FILE", str(tmp_path / "pace.lock"))
    monkeypatch.setenv("PITH_IDENTITY__KEY_FILE", str(tmp_path / "signing.key"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    monkeypatch.setenv("PREFECT_PROFILES_PATH", "/dev/null")


@pytest.mark.parametrize("name", ANSWERS)
def test_no_part_of_an_answer_reaches_the_terminal_as_it_is(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    words, answer = ANSWERS[name]
    with answering(answer) as url:
        monkeypatch.setenv("PITH_ARXIV__OAI_URL", f"{url}/oai")
        monkeypatch.setenv("PITH_ARXIV__ATOM_URL", f"{url}/query")
        for more in ([], ["--dry-run"]) if words[0] == "backfill" else ([],):
            monkeypatch.setattr(sys, "argv", ["pith-ingest", *words, *more])
            with pytest.raises(SystemExit) as ended:
                cli.main()
            assert ended.value.code in {0, 1, 2, 3}
    said = capfd.readouterr()
    assert said.err or said.out
    for text in (said.out, said.err):
        assert_safe(text)
        assert max(map(len, text.splitlines()), default=0) < 8000
    for report in tmp_path.rglob("runs/*/report.*"):
        assert_safe(report.read_text())


@pytest.mark.usefixtures("prefect")
def test_nor_does_it_reach_prefects_log_artifacts_and_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from prefect.client.orchestration import get_client
    from prefect.logging.handlers import APILogHandler

    from flows.backfill import backfill

    replies = tmp_path / f"{{0}}{{name}}{ANY[:60]}"
    replies.mkdir()
    for number, reply in enumerate([page(record()), error("idDoesNotExist", IN_XML), ANY.encode()]):
        (replies / f"{{{number}}}{{x!r}}{ANY}.xml").write_bytes(reply)
    monkeypatch.setenv("PITH_IDENTITY__KEY_ID", f"|`{ANY}")
    _, answer = ANSWERS["an error to a harvest"]
    since = {"after_": datetime.now(UTC).isoformat()}
    with answering(answer) as url:
        monkeypatch.setenv("PITH_ARXIV__OAI_URL", f"{url}/oai")
        monkeypatch.setenv("PITH_ARXIV__ATOM_URL", f"{url}/query")
        backfill(raw=[replies], data_dir=tmp_path / "data")
        failed = backfill(categories=["all"], data_dir=tmp_path / "data", return_state=True)
        lost = backfill(raw=[tmp_path / ANY], data_dir=tmp_path / "data", return_state=True)
    assert failed.is_failed()
    assert lost.is_failed()
    APILogHandler().flush()
    with get_client(sync_client=True) as client:
        ask: Any = client.request
        # Of these runs alone: an answer has 200 rows, and the server is the whole session's.
        runs = {"flow_runs": {"start_time": since}}
        wanted = {"task_runs": runs, "flow_runs": runs, "artifacts": runs}
        wanted["logs"] = {"logs": {"timestamp": since}}
        found = {
            kind: ask("POST", f"/{kind}/filter", json=only).json() for kind, only in wanted.items()
        }
    texts = {
        "names": [run["name"] for run in found["task_runs"]],
        "messages": [run["state"]["message"] or "" for run in found["flow_runs"]],
        "artifacts": [f"{each['data']}\n{each['description']}" for each in found["artifacts"]],
        "logs": [each["message"] for each in found["logs"]],
    }
    for kind, shown in texts.items():
        assert any("FORGED" in text for text in shown), kind
        for text in shown:
            assert_safe(text)
