"""Servers that want to keep or to fill their client get an error within its limits."""

import resource
from pathlib import Path

import pytest
from support.hostile.servers import MAX_BYTES, SERVERS, Hostile, HostileServer

from flows.common.errors import ArxivError
from flows.common.http.pace import Pace
from flows.common.limits import RetryPolicy
from flows.sources.arxiv.http import make_user_agent
from flows.sources.arxiv.oai_client import OaiClient

pytestmark = pytest.mark.long

AGENT = make_user_agent("")


def ask(url: str, hostile: Hostile, folder: Path, attempts: int = 1) -> None:
    policy = RetryPolicy(
        read_seconds=60,
        attempts=attempts,
        max_bytes=MAX_BYTES,
        total_seconds=1 if hostile.is_slow else 60,
    )
    with OaiClient(url, AGENT, Pace(folder / "arxiv.lock", 0), policy) as client:
        client.identify()


@pytest.mark.parametrize("hostile", SERVERS.values(), ids=SERVERS)
def test_a_hostile_server_gets_an_error(hostile: Hostile, tmp_path: Path) -> None:
    with HostileServer(hostile, seed=1, pause=0.1) as server:
        with pytest.raises(ArxivError, match=hostile.expected) as caught:
            ask(f"http://127.0.0.1:{server.port}/oai", hostile, tmp_path)
        assert server.connections == (4 if "redirected" in hostile.expected else 1)
        if hostile.is_slow or hostile.is_endless:
            assert not server.gave_up.is_set()
    assert len(str(caught.value)) < 1000


def test_a_proxy_is_held_to_the_same_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("interim replies, one a moment", "interim replies without end"):
        hostile = SERVERS[name]
        with HostileServer(hostile, seed=1, pause=0.1) as server:
            monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{server.port}")
            with pytest.raises(ArxivError, match=hostile.expected):
                ask("http://arxiv.example/oai", hostile, tmp_path)
            assert not server.gave_up.is_set()


def test_a_tunnel_is_held_to_the_same_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile = SERVERS["a byte a moment, of a header"]
    with HostileServer(hostile, seed=1, pause=0.1) as server:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.port}")
        with pytest.raises(ArxivError, match=hostile.expected):
            ask("https://arxiv.example/oai", hostile, tmp_path)
        assert not server.gave_up.is_set()


def test_each_attempt_has_a_time_of_its_own(tmp_path: Path) -> None:
    hostile = SERVERS["a byte a moment, of the body"]
    with HostileServer(hostile, seed=1, pause=0.1) as server:
        with pytest.raises(ArxivError, match=r"in 2 attempts, .* not whole after 1 s"):
            ask(f"http://127.0.0.1:{server.port}/oai", hostile, tmp_path, attempts=2)
        assert server.connections == 2


def test_a_server_without_end_costs_no_more_memory_than_a_reply(tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for hostile in SERVERS.values():
        if hostile.is_endless:
            with HostileServer(hostile, seed=2, pause=0) as server, pytest.raises(ArxivError):
                ask(f"http://127.0.0.1:{server.port}/oai", hostile, tmp_path)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 32 * 1024
