"""Nothing that a client sends leaks, executes, forges a line or stops the registry."""

import os
import re
import signal
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from random import Random

import pytest
from support.commands.command import assert_one_sentence, run
from support.papers.oai_pages import page, record
from support.registry.serving import Served, read_all, serving
from support.runs.runs import bundle_files, process

from flows.registry.server.http.guard import MAX_HEADER_BYTES, MAX_HEADERS, MAX_PATH

pytestmark = pytest.mark.process

SCRIPT = "<script>alert(1)</script>"
LINE = re.compile(
    r'\S+T\S+ 127\.0\.0\.1 "[ -~]*" [1-5][0-9]{2} [0-9]+ [0-9.]+ms "[ -~]*"', re.ASCII
)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("hostile")
    process(folder, page(record(title=f"A {SCRIPT} title", license="javascript:alert(1)")))
    with serving(folder) as service:
        yield service
        assert service.process.poll() is None
        assert not service.errors.read_text()


def status(reply: bytes) -> int:
    return int(reply.split(b" ", 2)[1])


TRAVERSALS = [
    "/../../../etc/passwd", "/pith/../../../../etc/passwd", "/pith/..%2f..%2f..%2fetc%2fpasswd",
    "/schemas/1.0/../../../pyproject.toml", "/schemas/1.0/%2e%2e/%2e%2e/__init__.py",
    "/pith/%00", "/pith/%ff%fe", "/pith/%c0%ae%c0%ae%2f", "/pith/%zz", "/pith/%", "/%2e%2e/",
    "/pith/\\..\\..\\config.yaml", "/pith/file:///etc/passwd", "/pith/%0d%0aSet-Cookie:%20a=b",
    "/pith/%F0%9F%92%A9", "//evil.example/pith/x", "/pith//evil.example",
    "/.well-known/pith/..%2f..%2fcatalog.sqlite/bundle.json", "/pith/%25252e", "/pith/a?b#c",
]  # fmt: skip


@pytest.mark.parametrize("path", TRAVERSALS)
def test_odd_paths_lead_nowhere(path: str, served: Served) -> None:
    reply = served.raw(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
    assert status(reply) == 404, reply
    assert b"application/problem+json" in reply
    assert b"root:" not in reply
    assert b"\r\nset-cookie:" not in reply.lower().partition(b"\r\n\r\n")[0]
    assert b"\r\nlocation:" not in reply.lower().partition(b"\r\n\r\n")[0]


def test_a_redirect_never_leaves_the_host(served: Served) -> None:
    for path in ("//0903.0442", "/pith///0903.0442", "/pith/0903.0442?//evil.example"):
        location = served.get(path, host="evil.example").headers.get("location", "/pith/")
        assert re.match(r"/pith/[A-Z2-7]{26}$|/pith/$", location)


def test_long_addresses_and_many_headers_are_refused(served: Served) -> None:
    for path in ("/pith/" + "A" * 10_000, "/pith/" + "%41" * 3_000, "/?" + "a" * 10_000):
        assert served.get(path).status_code == 414
    assert served.get("/healthz" + "?" * (MAX_PATH - 8)).status_code == 200
    many = "".join(f"x-{n}: y\r\n" for n in range(MAX_HEADERS + 1))
    close = "Connection: close\r\n\r\n"
    assert status(served.raw(f"GET / HTTP/1.1\r\nHost: x\r\n{many}{close}".encode())) == 431
    long = f"GET / HTTP/1.1\r\nHost: x\r\nx: {'y' * MAX_HEADER_BYTES}\r\n{close}"
    assert status(served.raw(long.encode())) == 431
    assert status(served.raw(b"GET /" + b"a" * 100_000)) == 431


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nA\x00: b\r\n\r\n", b"\r\n\r\n\r\nnonsense\r\n\r\n",
        b"GET http://[ HTTP/1.1\r\nHo st: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
    ],
)  # fmt: skip
def test_what_is_no_request_gets_a_problem(request_bytes: bytes, served: Served) -> None:
    reply = served.raw(request_bytes)
    assert status(reply) in {400, 413, 501}
    assert b"application/problem+json" in reply


def test_smuggled_requests_are_not_answered(served: Served) -> None:
    inner = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
    for framing in (b"Content-Length: %d" % len(inner), b"Transfer-Encoding: chunked"):
        reply = served.raw(b"GET / HTTP/1.1\r\nHost: x\r\n" + framing + b"\r\n\r\n" + inner)
        assert reply.count(b"HTTP/1.1 ") == 1


def test_random_bytes_stop_nothing(served: Served) -> None:
    random = Random(15)
    good = b"GET /healthz HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nRange: bytes=0-3\r\n\r\n"
    for _ in range(100):
        data = bytearray(good)
        for _ in range(random.randrange(1, 5)):
            data[random.randrange(len(data))] = random.randrange(256)
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connection:
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
            assert not read_all(connection).startswith(b"HTTP/1.1 5")
    assert served.get("/healthz").status_code == 200


def test_what_a_paper_says_is_text_on_the_page(served: Served) -> None:
    path = served.get("/pith/0903.0442").headers["location"]
    text = served.get(path, accept="text/html").text
    assert SCRIPT not in text
    assert "&lt;script&gt;" in text
    assert not re.search(r"""(?:href|src)=["']?\s*javascript:""", text, re.IGNORECASE)
    assert re.findall("<script[^>]*", text) == [
        '<script type="application/ld+json"',
        '<script type="module" src="/static/pages/verify-record.js"',
        '<script src="/static/pages/copy.js" defer',
    ]


def test_the_log_has_one_line_for_each_request_whatever_it_says(served: Served) -> None:
    before = served.log.read_text().count("\n")
    agents = ['"', '" 200 1 "', "\x1b[31mred", "\\", "a\x7fb", "ü" * 9, "x" * 5_000, "\t", "\r\n"]
    start = b'GET /%22%0a" HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUser-Agent: '
    asked = 0
    for agent in agents:
        reply = served.raw(start + agent.encode("latin-1") + b"\r\n\r\n")
        asked += status(reply) == 404
    assert asked >= 6  # of the others h11 says that they are no requests
    lines = served.log.read_text().splitlines()[before:]
    assert len(lines) == asked
    assert [line for line in lines if not LINE.fullmatch(line)] == []


def test_a_port_that_is_taken_is_said_in_one_sentence(served: Served, tmp_path: Path) -> None:
    process(tmp_path, page(record()))
    data = ["--data", str(tmp_path / "data")]
    done = run(tmp_path, "registry", "serve", "--port", str(served.port), *data)
    assert done.returncode == 2
    assert_one_sentence(done, f"port {served.port} of 127.0.0.1 is in use", "--port")
    done = run(tmp_path, "registry", "serve", "--host", "no.such.host.invalid", *data)
    assert_one_sentence(done, "--host no.such.host.invalid")
    done = run(tmp_path, "registry", "serve", "--data", tmp_path / "nowhere")
    assert_one_sentence(done, "there are no records")


@pytest.mark.parametrize("number", [2, 15], ids=["Ctrl-C", "SIGTERM"])
def test_a_signal_lets_a_request_end_and_no_process_stays(number: int, tmp_path: Path) -> None:
    process(tmp_path, page(record()))
    with serving(tmp_path, "--workers", "2") as served:
        workers = children(served.process.pid)
        assert len(workers) >= 2
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as idle:
            idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert idle.recv(2**16).startswith(b"HTTP/1.1 200")
            assert served.stop(number) == 0
            assert read_all(idle) in {b"", b'{"status":"ok"}'}
        assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
        assert served.errors.read_text() == ""
    assert bundle_files(tmp_path)


def test_workers_are_replaced_and_end_with_their_parent(tmp_path: Path) -> None:
    process(tmp_path, page(record()))
    with serving(tmp_path, "--workers", "2") as served:
        workers = children(served.process.pid)
        os.kill(min(workers), signal.SIGKILL)
        while min(workers) in (now := children(served.process.pid)) or len(now) < len(workers):
            assert served.get("/healthz").status_code == 200
        assert "another takes its place" in served.errors.read_text()
        workers |= now
        served.process.kill()
        served.process.wait()
        while any(Path(f"/proc/{pid}/cmdline").exists() for pid in workers):
            pass
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.1", served.port))


def children(pid: int) -> set[int]:
    """Return the processes that a process started and that serve (not its resource tracker)."""
    found = set()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == pid and b"spawn_main" in (folder / "cmdline").read_bytes():
                found.add(int(folder.name))
    return found
