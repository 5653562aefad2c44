"""Coverage-guided fuzzing of one parser: whatever comes in, an answer or a documented error.

It needs atheris, which is no dependency of the project:

    .venv/bin/python -m pip install atheris
    .venv/bin/python tests/fuzz/parsers.py page --seconds 600

runs one of `page`, `identifiers`, `sets`, `feed`, `row`, `bundle`, `shard`, `headers` (of
Parquet), `packed` and `reply` (HTTP), and prints how many inputs were tried. It begins with good
inputs and with the hostile ones of `tests/hostile/`, small. An input that raises something else, or
takes longer than 20 seconds or more than 2 GiB, is kept in the folder and ends the run.
"""

import argparse
import io
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path

import atheris  # type: ignore[import-untyped]

sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parents[1])]

with atheris.instrument_imports(include=["flows", "transforms", "h11", "httpcore"]):
    import httpcore
    import httpx
    from support.hostile import inputs, shards
    from support.papers.golden_data import GOLDEN
    from support.papers.oai_pages import error, page, record
    from support.papers.snapshot_rows import line, older_row, row

    from flows.cli.bundles.parquet_pages import BadPagesError, read_page_sizes
    from flows.cli.bundles.shard import may_hold_bundles, read_shard
    from flows.common.errors import ArxivError
    from flows.common.http.budget import keep_to
    from flows.common.http.pace import Pace
    from flows.common.limits import RetryPolicy
    from flows.sources.arxiv.oai_client import OaiClient
    from flows.sources.arxiv.search import check_feed
    from flows.store.files.raw_replies import UnreadableReplyError, read_reply
    from transforms.paper.paper import BadPaperError
    from transforms.parsing.arxiv_xml import parse_page
    from transforms.parsing.kaggle import claimed_id, parse_line
    from transforms.parsing.oai_lists import parse_identifiers, parse_sets
    from transforms.parsing.oai_xml import OaiError, PageError
    from transforms.verify.text_hashes import texts_of_line
    from transforms.verify.verify import verify_bundle

SMALL = 1500
MAX_LENGTH = 40_000
WORDS = [
    "<record>", "</record>", "<record/>", "<header>", "<metadata>", "<!--", "-->", "<![CDATA[",
    "]]>", "<?x", "?>", "<!DOCTYPE", "&amp;", "&x;", "xmlns:x=", "<resumptionToken>", "<error",
    "ListRecords", "GetRecord", "arXivRaw", "events", "payload", "receipt", "supersedes",
    "public_keys", "null", "true", "1e9", "-1", "9007199254740993", "\\\\ud800", "PAR1", "bundle",
    "HTTP/1.1 ", "103 Early Hints", "Transfer-Encoding: chunked", "Content-Encoding: gzip",
    "Content-Length: ", "Location: ", "\\x0d\\x0a\\x0d\\x0a", "\\x1f\\x8b\\x08",
    "\\x28\\xb5\\x2f\\xfd",
]  # fmt: skip


def read_page(data: bytes) -> None:
    try:
        found = parse_page(data)
    except (PageError, OaiError):
        return
    assert all(reject.raw in data and reject.reason for reject in found.rejects)
    places = [reject.position for reject in found.rejects]
    assert places == sorted(set(places))
    assert not places or places[-1] < len(found.papers) + len(places)


def read_identifiers(data: bytes) -> None:
    try:
        found = parse_identifiers(data)
    except (PageError, OaiError):
        return
    assert all(reject.raw in data and reject.reason for reject in found.rejects)


def read_sets(data: bytes) -> None:
    try:
        assert parse_sets(data).sets
    except (PageError, OaiError):
        return


def read_feed(data: bytes) -> None:
    try:
        check_feed(data)
    except (PageError, ArxivError):
        return


def read_row(data: bytes) -> None:
    for read in (parse_line, claimed_id, texts_of_line):
        try:
            read(data)
        except BadPaperError as refusal:
            assert str(refusal)  # noqa: PT017 - either is fine, but with a reason


def read_bundle(data: bytes) -> None:
    report = verify_bundle(data, [], columns={"pith_number": "x"}, texts={})
    assert not report.trusted
    assert report.unreadable or report.failure


def read_table(data: bytes) -> None:
    may_hold_bundles(io.BytesIO(data))
    for found in read_shard("x", io.BytesIO(data)):
        assert found.unreadable or found.data is not None


def read_headers(data: bytes) -> None:
    try:
        for sizes in read_page_sizes(io.BytesIO(data), [0, 2]):
            assert all(size.held >= size.largest >= 0 for size in sizes)
    except BadPagesError:
        return


def read_packed(data: bytes) -> None:
    PLACE.write_bytes(data)
    try:
        assert len(read_reply(PLACE, limit=2**20)) <= 2**20
    except UnreadableReplyError as refusal:
        assert str(refusal)  # noqa: PT017 - as above


class Answer(httpcore.NetworkStream):
    """A connection whose other side says these bytes, and then nothing more."""

    def __init__(self, data: bytes) -> None:
        self._stream = io.BytesIO(data)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        del timeout
        return self._stream.read(min(max_bytes, 1000))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        pass

    def close(self) -> None:
        pass

    def get_extra_info(self, info: str) -> object:
        del info
        return None


class Answers(httpcore.NetworkBackend):
    """Connects to `Answer`."""

    data = b""

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        del host, port, timeout, local_address, socket_options
        return Answer(self.data)


@cache
def connected() -> tuple[OaiClient, Answers, httpcore.ConnectionPool]:
    """Return a client whose answers come from memory."""
    policy = RetryPolicy(attempts=1, max_bytes=2**16)
    client = OaiClient("http://arxiv.example/oai", "fuzz", Pace(PLACE, 0), policy)
    http = client._fetcher._client  # noqa: SLF001 - there is no other way to it
    assert isinstance(http._transport, httpx.HTTPTransport)  # noqa: SLF001
    pool = http._transport._pool  # noqa: SLF001
    assert isinstance(pool, httpcore.ConnectionPool)
    answers = pool._network_backend = Answers()  # noqa: SLF001
    keep_to(client._fetcher._budget, http)  # noqa: SLF001
    return client, answers, pool


def read_http(data: bytes) -> None:
    client, answers, pool = connected()
    answers.data = data
    try:
        client.identify()
    except (ArxivError, OaiError):
        return
    finally:
        pool.close()


def small(*kinds: Mapping[str, Callable[[int], bytes]]) -> list[bytes]:
    return [make(SMALL) for kind in kinds for make in kind.values()]


def tables() -> list[bytes]:
    hostile = [make() for make in shards.SHARDS.values()]
    return [shards.published(), *(whole for whole in hostile if len(whole) <= MAX_LENGTH)]


GOOD_PAGES = [page(record(), record(title=""), token="x"), error("badVerb", "no")]
GOOD_REPLY = inputs.HEAD + b"Content-Length: %d\r\n\r\n%s"
TARGETS: dict[str, tuple[Callable[[bytes], None], Callable[[], list[bytes]]]] = {
    "page": (read_page, lambda: [*GOOD_PAGES, *small(inputs.PAGES)]),
    "identifiers": (read_identifiers, lambda: small(inputs.IDENTIFIERS)),
    "sets": (read_sets, lambda: small(inputs.SETS)),
    "feed": (read_feed, lambda: small(inputs.FEEDS)),
    "row": (read_row, lambda: [line(row()), line(older_row()), *small(inputs.ROWS)]),
    "bundle": (read_bundle, lambda: [each.data for each in GOLDEN] + small(inputs.BUNDLES)),
    "shard": (read_table, tables),
    "headers": (read_headers, tables),
    "packed": (read_packed, lambda: small(inputs.PACKED)),
    "reply": (
        read_http,
        lambda: [
            *small(inputs.REPLIES),
            *(GOOD_REPLY % (len(body), body) for body in small(inputs.BODIES, inputs.IDENTIFIERS)),
        ],
    ),
}
PLACE = Path(tempfile.gettempdir()) / "pith-fuzz"


def main() -> None:
    """Fuzz one parser for so many seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("fuzz-findings"), help="for what fails")
    asked = parser.parse_args()
    read, seeds = TARGETS[asked.target]
    asked.folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        global PLACE  # the fuzzer calls a function of the input alone
        corpus, PLACE = Path(folder) / "corpus", Path(folder) / "place"
        corpus.mkdir()
        for number, seed in enumerate(seeds()):
            (corpus / str(number)).write_bytes(seed[:MAX_LENGTH])
        words = Path(folder) / "words"
        words.write_text("".join(f'"{word}"\n' for word in WORDS))
        atheris.Setup(
            [
                sys.argv[0], str(corpus), f"-max_total_time={asked.seconds}", f"-seed={asked.seed}",
                f"-max_len={MAX_LENGTH}", f"-dict={words}", "-timeout=20", "-rss_limit_mb=2048",
                f"-artifact_prefix={asked.folder}/{asked.target}-", "-print_final_stats=1",
            ],
            read,
        )  # fmt: skip
        atheris.Fuzz()


if __name__ == "__main__":
    main()
