"""The imitated arXiv over HTTP: what goes wrong between it and its client."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import timedelta

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
    Library,
    Oversized,
    Redirect,
    Restamp,
    SlowFirstByte,
    Truncate,
    Unavailable,
    Vanish,
    random_faults,
)
from lxml import etree
from support.papers.oai_client import (
    DAY,
    OAI,
    RAW_FORMAT,
    TODAY,
    ask,
    code,
    ids,
    records,
)
from support.paths import TESTS

pytestmark = pytest.mark.process


def test_gzip_only_for_those_who_accept_it(server: ArxivServer) -> None:
    """The body is compressed on demand; the connection is kept."""
    query = {"verb": "ListRecords", **RAW_FORMAT}
    with httpx.Client() as client:
        packed = client.get(server.oai_url, params=query)
        plain = client.get(server.oai_url, params=query, headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.content == plain.content
    assert int(packed.headers["content-length"]) < len(plain.content)
    assert "connection" not in packed.headers
    with ArxivServer(server.library, today=TODAY, gzip=False) as other:
        assert "content-encoding" not in httpx.get(other.oai_url).headers


def test_the_old_address_redirects(client: httpx.Client, server: ArxivServer) -> None:
    """`/oai2` answers 301 with the same query at `/oai`."""
    query = {"verb": "Identify"}
    reply = client.get(server.old_oai_url, params=query)
    assert reply.status_code == 301
    assert reply.headers["location"] == f"{server.oai_url}?verb=Identify"
    followed = client.get(server.old_oai_url, params=query, follow_redirects=True)
    assert "<Identify>" in followed.text
    assert client.get(f"{server.url}/rss").status_code == 404


def test_the_log_and_the_hook(client: httpx.Client, server: ArxivServer) -> None:
    """Requests are logged with their headers and times, and announced before the answer."""
    called: list[str] = []
    server.on_request = lambda seen: called.append(seen.query["verb"])
    began = time.monotonic()
    ask(client, server, verb="Identify")
    client.get(server.oai_url, params={"verb": "ListSets"}, headers={"User-Agent": "pith (x@y)"})
    assert called == ["Identify", "ListSets"]
    first, second = server.requests
    assert (first.method, first.path, first.query) == ("GET", "/oai", {"verb": "Identify"})
    assert second.headers["user-agent"] == "pith (x@y)"
    assert began <= first.at <= second.at <= time.monotonic()
    assert server.busiest == 1


@pytest.mark.parametrize(
    ("fault", "status", "header"),
    [
        (Unavailable("0"), 503, "0"),
        (Unavailable("Tue, 10 Mar 2026 05:11:00 GMT", 429), 429, "Tue, 10 Mar 2026 05:11:00 GMT"),
        (Unavailable(status=502), 502, None),
        (Forbidden(), 403, None),
        (Redirect("http://127.0.0.1:9/oai"), 302, None),
        (Garbage("html"), 200, None),
        (Garbage("broken"), 200, None),
        (Garbage("latin1"), 200, None),
        (Garbage("empty"), 200, None),
        (Truncate(0.6), 200, None),
        (Truncate(90), 200, None),
    ],
)
def test_faults_with_a_whole_reply(
    client: httpx.Client, server: ArxivServer, fault: Fault, status: int, header: str | None
) -> None:
    """The reply is well framed and bad once; the next is good."""
    server.order(fault)
    reply = client.get(server.oai_url, params={"verb": "ListRecords", **RAW_FORMAT})
    assert reply.status_code == status
    assert reply.headers.get("retry-after") == header
    with pytest.raises(etree.XMLSyntaxError):
        etree.fromstring(reply.content)
    assert server.pending == 0
    assert len(ids(records(client, server))) == 10


def test_a_truncated_page_fools_a_lenient_parser(client: httpx.Client, server: ArxivServer) -> None:
    """Cut before its token, a page read leniently is a shorter last page."""
    server.order(Truncate(0.6))
    reply = client.get(server.oai_url, params={"verb": "ListRecords", **RAW_FORMAT})
    lenient = etree.fromstring(reply.content, etree.XMLParser(recover=True))
    assert 0 < len(ids(lenient)) < 10
    assert lenient.find(f".//{OAI}resumptionToken") is None


@pytest.mark.parametrize("fault", [CutConnection(0.5), CutConnection(0), DropConnection()])
def test_faults_of_the_connection(client: httpx.Client, server: ArxivServer, fault: Fault) -> None:
    """A cut or dropped connection is an error to the client, who may connect again."""
    server.order(fault)
    with pytest.raises(httpx.RemoteProtocolError):
        records(client, server)
    assert len(ids(records(client, server))) == 10


def test_slow_first_byte(client: httpx.Client, server: ArxivServer) -> None:
    """A late reply trips the client's read timeout."""
    server.order(SlowFirstByte(30))
    with pytest.raises(httpx.ReadTimeout):
        client.get(server.oai_url, timeout=0.1)
    server.order(SlowFirstByte(0.1))
    began = time.monotonic()
    assert client.get(server.oai_url).status_code == 200
    assert time.monotonic() - began >= 0.1


def test_stopping_does_not_wait() -> None:
    """The stop ends a slow reply and closes idle connections at once."""
    with httpx.Client() as client:
        with ArxivServer(Library(), today=TODAY) as server:
            client.get(server.oai_url)
            server.order(SlowFirstByte(30))
            with pytest.raises(httpx.ReadTimeout):
                client.get(server.oai_url, timeout=0.05)
            began = time.monotonic()
        assert time.monotonic() - began < 1
        with pytest.raises(httpx.ConnectError):
            client.get(server.oai_url)


def test_simultaneous_requests_are_noticed(server: ArxivServer) -> None:
    """`busiest` tells a client of two connections from one of one."""
    server.order(SlowFirstByte(0.3))
    slow = threading.Thread(target=httpx.get, args=(server.oai_url,))
    slow.start()
    while not server.requests:
        time.sleep(0.005)
    httpx.get(server.oai_url)
    slow.join()
    assert server.busiest == 2


def test_oversized(client: httpx.Client, server: ArxivServer) -> None:
    """A huge reply is well-formed and, compressed, small on the wire."""
    server.order(Oversized(3_000_000))
    reply = client.get(server.oai_url, params={"verb": "ListRecords", **RAW_FORMAT})
    assert len(reply.content) == 3_000_000
    assert int(reply.headers["content-length"]) < 100_000
    assert len(ids(etree.fromstring(reply.content))) == 10


def test_a_cached_error_sticks_until_midnight(client: httpx.Client, server: ArxivServer) -> None:
    """The same URL keeps its error; another URL does not have it."""
    server.order(CachedError("noRecordsMatch"))
    for _ in range(3):
        assert code(records(client, server, from_=str(DAY))) == "noRecordsMatch"
    assert code(records(client, server, from_="2026-03-01")) is None
    server.today = TODAY + timedelta(days=1)
    assert code(records(client, server, from_=str(DAY))) is None
    server.order(CachedError("noRecordsMatch"))
    assert code(records(client, server)) == "noRecordsMatch"
    server.clear_cache()
    assert code(records(client, server)) is None


def test_orders_wait_for_their_request(client: httpx.Client, server: ArxivServer) -> None:
    """An order meets requests of its verb, lets some pass, and may last for several."""
    server.order(Forbidden(), on="ListRecords", skip=1, times=2)
    server.order(Unavailable(), on=lambda seen: "set" in seen.query)

    def status(**query: str) -> int:
        return client.get(server.oai_url, params=query).status_code

    assert status(verb="Identify") == 200
    asked = [status(verb="ListRecords", metadataPrefix="arXivRaw") for _ in range(4)]
    assert asked == [200, 403, 403, 200]
    assert status(verb="ListSets", set="cs") == 503
    assert server.pending == 0
    server.order(Forbidden())
    server.order(Unavailable())
    assert [status(verb="Identify") for _ in range(3)] == [403, 503, 200]
    server.order(Restamp(1, TODAY), Truncate(0.5))
    client.get(server.oai_url, params={"verb": "Identify"})
    assert [work.datestamp for work in server.library.works()].count(TODAY) == 1


def test_a_patient_client_survives_random_faults(client: httpx.Client, server: ArxivServer) -> None:
    """The mix is seeded, and passes."""
    mix = random_faults(5, requests=60, share=0.5, restamp_to=DAY)
    assert mix == random_faults(5, requests=60, share=0.5, restamp_to=DAY)
    assert mix != random_faults(6, requests=60, share=0.5, restamp_to=DAY)
    assert len({type(fault) for _, fault in mix}) > 4
    for skip, fault in mix:
        server.order(fault, skip=skip)
    query = {"verb": "ListRecords", **RAW_FORMAT}
    found: list[str] = []
    for _ in range(60):
        try:
            reply = client.get(server.oai_url, params=query)
            page = etree.fromstring(reply.raise_for_status().content)
        except (httpx.HTTPError, etree.XMLSyntaxError):
            continue
        found += ids(page)
        token = page.findtext(f".//{OAI}resumptionToken")
        if not token:
            break
        query = {"verb": "ListRecords", "resumptionToken": token}
    assert found == [work.id for work in server.library.works()]


def test_a_bug_of_the_server_fails_the_test(client: httpx.Client) -> None:
    """An error in the server's own thread is not lost."""
    server = ArxivServer(Library(), today=TODAY)
    server.__enter__()
    server.order(Vanish(("no such paper",)))
    with pytest.raises(httpx.RemoteProtocolError):
        client.get(server.oai_url)
    with pytest.raises(RuntimeError, match="test server"):
        server.__exit__(None, None, None)


def test_it_runs_as_a_process(client: httpx.Client) -> None:
    """It prints its address first and ends on SIGTERM."""
    command = [sys.executable, "-m", "arxiv_server", "--count", "20", "--page-size", "8"]
    env = os.environ | {"PYTHONPATH": str(TESTS)}
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            query = {"verb": "ListRecords", **RAW_FORMAT}
            page = etree.fromstring(client.get(f"{url}/oai", params=query).content)
            assert len(ids(page)) == 8
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
