"""The OAI-PMH client against the imitated arXiv: what it asks, takes, refuses and asks again."""

import gzip
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import NamedTuple

import httpx
import pytest
from arxiv_server import (
    ArxivServer,
    CachedError,
    CutConnection,
    DropConnection,
    Fault,
    Forbidden,
    Garbage,
    Oversized,
    Redirect,
    Seen,
    SlowFirstByte,
    Truncate,
    Unavailable,
    make_library,
    random_faults,
)
from arxiv_server.reply import Reply as ServerReply

from flows.common.errors import (
    ArxivDeniedError,
    ArxivReplyError,
    ArxivUnreachableError,
    ConfigError,
)
from flows.common.http.pace import Pace
from flows.common.limits import RetryPolicy
from flows.sources.arxiv.http import make_user_agent
from flows.sources.arxiv.oai_client import OaiClient
from flows.store.catalog.window import Window
from transforms.paper.paper import BadPaperError
from transforms.parsing.arxiv_xml import parse_page
from transforms.parsing.oai_lists import parse_identifiers
from transforms.parsing.oai_xml import (
    BadArgumentError,
    BadResumptionTokenError,
    IdDoesNotExistError,
    NoRecordsMatchError,
    rewind,
)

DAY = date(2026, 3, 2)
TODAY = date(2026, 3, 10)
EVERYTHING = Window(first=DAY, until=TODAY)
AGENT = make_user_agent("mailto:harvest@example.org")
MEGABYTE = 2**20
PASSING: dict[str, Fault] = {
    "503": Unavailable(),
    "503, Retry-After 0": Unavailable("0"),
    "503, Retry-After 1": Unavailable("1"),
    "503, Retry-After a past date": Unavailable("Thu, 01 Jan 2026 00:00:00 GMT"),
    "503, Retry-After nonsense": Unavailable("soon"),
    "408": Unavailable(status=408),
    "429": Unavailable(status=429),
    "500": Unavailable(status=500),
    "502": Unavailable(status=502),
    "truncated early": Truncate(0.1),
    "truncated late": Truncate(0.99),
    "cut connection": CutConnection(0.5),
    "dropped connection": DropConnection(),
    "a page for people": Garbage("html"),
    "broken XML": Garbage("broken"),
    "bad UTF-8": Garbage("latin1"),
    "nothing": Garbage("empty"),
}


class Stage(NamedTuple):
    server: ArxivServer
    client: OaiClient


POLICY = RetryPolicy(read_seconds=5, attempts=3, max_bytes=MEGABYTE)
HURRY = replace(POLICY, read_seconds=0.3)


def connect(
    server: ArxivServer, folder: Path, policy: RetryPolicy = POLICY, seconds: float = 0
) -> OaiClient:
    return OaiClient(server.oai_url, AGENT, Pace(folder / "arxiv.lock", seconds), policy)


@pytest.fixture
def server() -> Iterator[ArxivServer]:
    """Serve 25 papers of three days, ten a page."""
    library = make_library(25, 7, DAY, 3)
    with ArxivServer(library, today=TODAY, page_size=10, id_page_size=20) as running:
        yield running


@pytest.fixture
def stage(server: ArxivServer, tmp_path: Path) -> Iterator[Stage]:
    with connect(server, tmp_path) as client:
        yield Stage(server, client)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Record the waits before new attempts instead of waiting."""
    recorded: list[float] = []
    monkeypatch.setattr("tenacity.nap.time", SimpleNamespace(sleep=recorded.append))
    return recorded


def harvest(client: OaiClient) -> list[str]:
    page = client.records_page(EVERYTHING).value
    ids = [paper.id for paper in page.papers]
    while page.resumption_token:
        page = client.records_page(EVERYTHING, page.resumption_token).value
        ids += [paper.id for paper in page.papers]
    return ids


def test_all_pages_of_records_and_identifiers(stage: Stage) -> None:
    server, client = stage
    everything = [work.id for work in server.library.works()]
    assert harvest(client) == everything
    first = client.identifiers_page(EVERYTHING).value
    assert first.resumption_token
    second = client.identifiers_page(EVERYTHING, first.resumption_token).value
    headers = first.headers + second.headers
    assert [header.arxiv_id for header in headers] == everything
    assert [header.datestamp for header in headers] == sorted(
        work.datestamp for work in server.library.works()
    )
    assert second.resumption_token == ""
    assert server.busiest == 1


def test_what_is_asked(stage: Stage) -> None:
    server, client = stage
    client.records_page(Window("cs:cs:LG", DAY, TODAY))
    client.records_page(Window())
    paper = server.library.works()[0].id
    client.get_record(paper)
    raw = {"metadataPrefix": "arXivRaw"}
    assert [seen.query for seen in server.requests] == [
        {"verb": "ListRecords", **raw, "from": "2026-03-02", "until": "2026-03-10",
         "set": "cs:cs:LG"},
        {"verb": "ListRecords", **raw},
        {"verb": "GetRecord", "identifier": f"oai:arXiv.org:{paper}", **raw},
    ]  # fmt: skip
    assert {seen.headers["user-agent"] for seen in server.requests} == {AGENT}
    assert {seen.headers["accept-encoding"] for seen in server.requests} == {"gzip"}


def test_a_token_is_passed_on_unchanged(stage: Stage) -> None:
    server, client = stage
    token = client.records_page(EVERYTHING).value.resumption_token
    assert token
    assert "%3D" in token
    client.records_page(EVERYTHING, token)
    assert server.requests[-1].query == {"verb": "ListRecords", "resumptionToken": token}
    for strange in ("a%26b&c=d+e f/é", "%"):
        with pytest.raises(BadResumptionTokenError):
            client.records_page(EVERYTHING, strange)
        assert server.requests[-1].query["resumptionToken"] == strange


def test_a_rewound_token_gives_the_page_before(stage: Stage) -> None:
    server, client = stage
    server.library.restamp([work.id for work in server.library.works()], DAY)
    first = client.records_page(EVERYTHING).value
    assert first.resumption_token
    token = rewind(first.resumption_token, 10)
    assert token
    assert client.records_page(EVERYTHING, token).value == first


def test_a_reply_has_the_bytes_that_were_parsed(stage: Stage) -> None:
    records = stage.client.records_page(EVERYTHING)
    assert records.raw.startswith(b"<?xml")
    assert parse_page(records.raw) == records.value
    identifiers = stage.client.identifiers_page(EVERYTHING)
    assert parse_identifiers(identifiers.raw) == identifiers.value


def test_identify_and_sets(stage: Stage) -> None:
    identity = stage.client.identify().value
    assert identity.base_url == stage.server.oai_url
    assert identity.earliest == date(2005, 9, 16)
    assert identity.granularity == "YYYY-MM-DD"
    assert "physics:hep-th" in stage.client.list_sets().value.sets


def test_error_replies_are_raised_at_once(stage: Stage) -> None:
    server, client = stage
    with pytest.raises(IdDoesNotExistError):
        client.get_record("9912.99999")
    with pytest.raises(BadArgumentError, match=r"Set does not exist; check the set"):
        client.records_page(Window("cs.LG"))
    with pytest.raises(NoRecordsMatchError):
        client.records_page(Window(first=TODAY, until=TODAY))
    with pytest.raises(BadArgumentError):
        client.list_sets("a token")
    assert len(server.requests) == 4


def test_what_is_not_an_id_is_not_asked(stage: Stage) -> None:
    with pytest.raises(BadPaperError):
        stage.client.get_record("../../etc/passwd")
    assert stage.server.requests == []


def test_no_records_match_ends_a_list_that_is_resumed(stage: Stage) -> None:
    server, client = stage
    server.order(CachedError("noRecordsMatch"), skip=1)
    token = client.records_page(EVERYTHING).value.resumption_token
    reply = client.records_page(EVERYTHING, token)
    assert (reply.value.papers, reply.value.rejects) == ([], [])
    assert reply.value.resumption_token == ""
    assert b"noRecordsMatch" in reply.raw
    server.order(CachedError("noRecordsMatch"))
    beyond = "verb%3DListIdentifiers%26metadataPrefix%3DarXivRaw%26skip%3D5000"
    assert client.identifiers_page(EVERYTHING, beyond).value.resumption_token == ""


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING)
def test_a_passing_failure_is_asked_again(
    stage: Stage, fault: Fault, waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    server, client = stage
    expected = client.records_page(EVERYTHING)
    server.order(fault)
    with caplog.at_level(logging.INFO, "pith_ingest"):
        assert client.records_page(EVERYTHING) == expected
    assert len(server.requests) == 3
    assert len(waits) == 1
    (record,) = [record for record in caplog.records if record.name == "pith_ingest"]
    assert record.levelno == logging.INFO
    assert record.getMessage().startswith("A request to arXiv failed (")
    assert record.getMessage().endswith(f"attempt 2 of 3 follows in {waits[0]:.0f} s.")


@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (Unavailable("1"), "HTTP 503"),
        (DropConnection(), "RemoteProtocolError"),
        (Truncate(0.5), "not whole or not well-formed XML"),
    ],
)
def test_a_failure_that_stays_names_the_request_and_the_cause(
    stage: Stage, fault: Fault, cause: str, waits: list[float]
) -> None:
    server, client = stage
    server.order(fault, times=4)
    with pytest.raises(ArxivUnreachableError) as raised:
        client.records_page(EVERYTHING)
    assert f"{server.oai_url}?verb=ListRecords&metadataPrefix=arXivRaw" in str(raised.value)
    assert "in 3 attempts" in str(raised.value)
    assert cause in str(raised.value)
    assert raised.value.exit_status == 3
    assert len(server.requests) == 3
    assert len(waits) == 2


def test_a_late_first_byte_is_a_failure(
    server: ArxivServer, tmp_path: Path, waits: list[float]
) -> None:
    server.order(SlowFirstByte(60))
    with connect(server, tmp_path, HURRY) as client:
        client.identify()
        assert len(waits) >= 1
        server.order(SlowFirstByte(60), times=3)
        with pytest.raises(ArxivUnreachableError, match="because of: ReadTimeout"):
            client.identify()


def test_a_server_that_is_not_there(server: ArxivServer, tmp_path: Path) -> None:
    with connect(server, tmp_path, replace(POLICY, attempts=2)) as client:
        server.__exit__(None, None, None)
        with pytest.raises(ArxivUnreachableError, match="ConnectError"):
            client.identify()


def test_retry_after_counts_between_the_pace_and_an_hour(
    server: ArxivServer, tmp_path: Path, waits: list[float]
) -> None:
    in_a_minute = datetime.now(UTC) + timedelta(minutes=1)
    asked_for = [
        "0", "7", "100000", "9" * 5000, "Thu, 01 Jan 2026 00:00:00 GMT",
        format_datetime(in_a_minute, usegmt=True),
    ]  # fmt: skip
    for header in asked_for:
        server.order(Unavailable(header))
    eager = replace(POLICY, attempts=len(asked_for) + 1)
    with connect(server, tmp_path, eager, 0.01) as client:
        client.identify()
    longest = POLICY.longest_retry_after_seconds
    assert waits[:5] == [0.01, 7, longest, longest, 0.01]
    assert 0 < waits[5] <= 60


def test_without_retry_after_each_wait_is_longer(
    server: ArxivServer, tmp_path: Path, waits: list[float]
) -> None:
    server.order(Unavailable(), times=5)
    with connect(server, tmp_path, replace(POLICY, attempts=6), 0.01) as client:
        client.identify()
    for wait, least in zip(waits, (0.01, 0.02, 0.04, 0.08, 0.16), strict=True):
        assert least <= wait <= least + 0.01


def test_a_denied_crawler_does_not_ask_again(stage: Stage) -> None:
    server, client = stage
    server.order(Forbidden())
    with pytest.raises(ArxivDeniedError, match=r"denies this crawler .* arxiv\.contact"):
        client.identify()
    assert len(server.requests) == 1


def test_a_wrong_address_is_not_asked_again(server: ArxivServer, tmp_path: Path) -> None:
    pace = Pace(tmp_path / "arxiv.lock", 0)
    with (
        OaiClient(f"{server.url}/nothing", AGENT, pace, POLICY) as client,
        pytest.raises(ArxivReplyError, match="answers HTTP 404; check the address"),
    ):
        client.identify()
    assert len(server.requests) == 1


def test_an_answer_without_a_body_or_place_is_refused(stage: Stage) -> None:
    for status in (204, 304, 400):
        stage.server.order(Unavailable(status=status))
        with pytest.raises(ArxivReplyError, match=f"HTTP {status}"):
            stage.client.identify()
    assert len(stage.server.requests) == 3


@pytest.mark.parametrize("compressed", [True, False])
def test_a_reply_that_is_too_large_is_not_read(tmp_path: Path, *, compressed: bool) -> None:
    """Compressed, 40 megabytes arrive as 40 kilobytes."""
    library = make_library(3, 7, DAY, 1)
    with (
        ArxivServer(library, today=TODAY, gzip=compressed) as server,
        connect(server, tmp_path) as client,
    ):
        server.order(Oversized(40 * MEGABYTE))
        with pytest.raises(ArxivReplyError, match=f"more than {MEGABYTE} bytes"):
            client.identify()
        assert len(server.requests) == 1
        # The connection was not left half read.
        client.identify()


def test_a_reply_of_just_the_limit_is_read(server: ArxivServer, tmp_path: Path) -> None:
    with connect(server, tmp_path) as client:
        size = len(client.identify().raw)
    with connect(server, tmp_path, replace(POLICY, max_bytes=size)) as client:
        client.identify()
    with (
        connect(server, tmp_path, replace(POLICY, max_bytes=size - 1)) as client,
        pytest.raises(ArxivReplyError, match="more than"),
    ):
        client.identify()


class Encoded(Fault):
    """A body in an encoding which the server itself does not have."""

    def __init__(self, encoding: str, body: bytes) -> None:
        self.encoding = encoding
        self.body = body

    def after(self, reply: ServerReply) -> ServerReply:
        headers = {"Content-Encoding": self.encoding}
        return replace(reply, body=self.body, headers=headers)


@pytest.mark.parametrize(
    ("encoding", "body", "cause"),
    [
        ("br", b"x", "encoded as 'br', which was not asked for"),
        ("gzip, gzip", b"x", "encoded as 'gzip, gzip'"),
        ("gzip", b"not gzip", "broken gzip"),
        ("gzip", gzip.compress(b"x" * 1000)[:-6], "broken gzip: cut before its end"),
    ],
    ids=["another", "twice", "none", "cut"],
)
def test_an_encoding_that_cannot_be_read(
    tmp_path: Path, encoding: str, body: bytes, cause: str
) -> None:
    library = make_library(3, 7, DAY, 1)
    with (
        ArxivServer(library, today=TODAY, gzip=False) as server,
        connect(server, tmp_path, replace(POLICY, attempts=2)) as client,
    ):
        server.order(Encoded(encoding, body), times=2)
        with pytest.raises(ArxivUnreachableError, match=cause):
            client.identify()


def test_redirects_on_the_same_host_are_followed(server: ArxivServer, tmp_path: Path) -> None:
    pace = Pace(tmp_path / "arxiv.lock", 0)
    with OaiClient(server.old_oai_url, AGENT, pace, POLICY) as client:
        assert client.identify().value.base_url == server.oai_url
    assert [seen.path for seen in server.requests] == ["/oai2", "/oai"]
    assert server.requests[1].query == {"verb": "Identify"}


def test_a_redirect_may_be_relative(stage: Stage) -> None:
    stage.server.order(Redirect("/oai?verb=Identify"))
    stage.client.identify()


@pytest.mark.parametrize(
    "place",
    [
        "http://localhost:1/oai",
        "http://127.0.0.1:1/oai",
        "https://127.0.0.1:1/oai",
        "//example.org/oai",
        "file:///etc/passwd",
        "http://[",
        "",
    ],
)
def test_a_redirect_elsewhere_is_refused(stage: Stage, place: str) -> None:
    stage.server.order(Redirect(place), times=5)
    with pytest.raises(ArxivReplyError, match="redirect"):
        stage.client.identify()


def test_a_redirect_to_another_host_with_the_same_port_is_refused(stage: Stage) -> None:
    place = stage.server.oai_url.replace("127.0.0.1", "localhost")
    stage.server.order(Redirect(f"{place}?verb=Identify"))
    with pytest.raises(ArxivReplyError, match="redirects to another place, 'http://localhost"):
        stage.client.identify()
    assert len(stage.server.requests) == 1


def test_the_same_host_by_https_is_allowed(
    server: ArxivServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing listens there, so what is looked at is which place is asked."""
    asked: list[httpx.URL] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request.url)
        if request.url.scheme == "http":
            place = str(request.url.copy_with(scheme="https", port=None))
            return httpx.Response(301, headers={"Location": place})
        return httpx.Response(301, headers={"Location": "http://arxiv.example/oai"})

    real = httpx.Client
    monkeypatch.setattr(
        httpx, "Client", lambda **options: real(transport=httpx.MockTransport(handle), **options)
    )
    pace = Pace(tmp_path / "arxiv.lock", 0)
    with (
        OaiClient("http://arxiv.example/oai", AGENT, pace, POLICY) as client,
        pytest.raises(ArxivReplyError, match="redirects to another place, 'http://arxiv"),
    ):
        client.identify()
    assert [url.scheme for url in asked] == ["http", "https"]
    assert server.requests == []


def test_redirects_in_a_circle_end(stage: Stage) -> None:
    stage.server.order(Redirect("/oai?verb=Identify"), times=10)
    with pytest.raises(ArxivReplyError, match="redirected more than 3 times"):
        stage.client.identify()
    assert len(stage.server.requests) == 4


def test_the_user_agent_names_project_and_contact() -> None:
    assert AGENT.startswith("pith-ingest/")
    assert AGENT.endswith(" (mailto:harvest@example.org)")
    assert "(" not in make_user_agent("")
    for contact in ("a\r\nX: y", "é@example.org", "me (at home)"):
        with pytest.raises(ConfigError, match=r"arxiv\.contact"):
            make_user_agent(contact)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.usefixtures("waits")
def test_a_harvest_survives_random_faults(server: ArxivServer, tmp_path: Path, seed: int) -> None:
    """Some re-stamp papers, which then come again; none that stays where it is is lost."""
    everything = {work.id for work in server.library.works()}
    for skip, fault in random_faults(seed, 12, 0.5, DAY):
        server.order(fault, skip=skip)
    with connect(server, tmp_path, replace(POLICY, attempts=10)) as client:
        assert set(harvest(client)) == everything
    assert server.busiest == 1


def test_closing_leaves_a_request_under_way_alone_and_takes_no_other(
    server: ArxivServer, tmp_path: Path
) -> None:
    asked, closed = Event(), Event()

    def answer_late(_: Seen) -> None:
        asked.set()
        closed.wait(120)

    server.on_request = answer_late
    with ThreadPoolExecutor(1) as pool:
        with connect(server, tmp_path) as client:
            identified = pool.submit(client.identify)
            assert asked.wait(120)
        closed.set()
        assert identified.result(120).value.base_url == server.oai_url
    assert client._fetcher._client.is_closed  # noqa: SLF001 - nothing else shows it
    with pytest.raises(RuntimeError, match="closed"):
        client.identify()
    assert len(server.requests) == 1
