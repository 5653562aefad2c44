"""What SECURITY.md says of limits is what the code keeps."""

import re

from benchmarks import worst_memory
from support.paths import ROOT

from flows.cli.bundles import parquet_pages
from flows.cli.bundles import shard as bundle_shard
from flows.common import terminal
from flows.common.config import Config
from flows.common.files import own_files
from flows.common.http import budget
from flows.registry.server.http import guard, protocol
from flows.registry.site import site
from flows.sources.kaggle import lines as snapshot
from flows.store.search import query
from transforms.bundle.events import EXCERPT_LENGTH
from transforms.encoding import canonical as canon
from transforms.encoding import strict_json
from transforms.paper import paper
from transforms.parsing import oai_xml, strict_xml

TEXT = (ROOT / "SECURITY.md").read_text()
ROWS = dict(re.findall(r"^\| ([^|]+) \| ([^|]+) \| `", TEXT, re.MULTILINE))
MIB = 2**20


def test_the_limits_are_those_of_the_code() -> None:
    limits = Config().limits
    policy = limits.retry
    assert policy.max_bytes == oai_xml.MAX_PAGE_BYTES
    assert ROWS["a reply of arXiv, decompressed"].startswith(
        f"{oai_xml.MAX_PAGE_BYTES // MIB} MiB;"
    )
    assert ROWS["redirects"].startswith(f"{policy.max_redirects},")
    waiting = (
        f"connecting {policy.connect_seconds:.0f} s, silence {policy.read_seconds:.0f} s, "
        f"{policy.attempts} attempts, "
        f"a Retry-After of at most {policy.longest_retry_after_seconds:.0f} s"
    )
    assert ROWS["waiting"] == waiting
    assert ROWS["a field of a paper"].startswith(f"{paper.MAX_FIELD} characters;")
    line, kept = snapshot.MAX_LINE_BYTES // MIB, snapshot.KEPT_BYTES // 2**10
    assert ROWS["a line of a snapshot"].startswith(f"{line} MiB; of a longer one {kept} KiB")
    proven = f"by the SHA-256 of each {limits.proof_block_bytes // 2**10} KiB"
    assert ROWS["a snapshot that changes while it is read"].endswith(proven)
    bundle = f"{strict_json.MAX_BYTES // MIB} MiB, {strict_json.MAX_VALUES} values; "
    said = f"{bundle}integers only, no key twice, {canon.MAX_DEPTH} levels"
    assert ROWS["a bundle to verify"] == said
    exchange = f"{policy.total_seconds:.0f} s from the first byte to the last; "
    assert ROWS["one exchange with arXiv"].startswith(f"{exchange}{budget.HEAD_BYTES // MIB} MiB ")
    assert ROWS["a request to the registry"].endswith(
        f"an address of {guard.MAX_PATH} characters; {guard.MAX_HEADERS} headers of "
        f"{guard.MAX_HEADER_BYTES // 2**10} KiB"
    )
    assert ROWS["a search of the registry"] == (
        f"{query.LONGEST_TEXT} characters, {query.MOST_WORDS} words, {query.MOST_FOUND} papers "
        f"found; an address of {site.MOST_FIELDS} fields"
    )
    connection = protocol.LimitedProtocol
    assert ROWS["a connection to the registry"] == (
        f"{connection.request_seconds:.0f} s for a request to arrive, "
        f"{connection.reading_seconds:.0f} s for a reply to be read, "
        f"{protocol.KEEP_ALIVE_SECONDS} s of silence between two; "
        f"{connection.max_connections} connections of a worker"
    )
    assert f" {strict_xml.MAX_MARKUP} tags and attributes," in ROWS["XML of arXiv"]
    assert ROWS["a resumption token"] == f"{oai_xml.MAX_TOKEN} characters"
    shard = f"{bundle_shard.MAX_HELD_BYTES // MIB} MiB of pages at one time, in all "
    shard += f"{bundle_shard.MAX_RATIO} times its size or {bundle_shard.FREE_BYTES // MIB} MiB; "
    shard += f"a footer of {parquet_pages.MAX_FOOTER // MIB} MiB; "
    assert ROWS["a Parquet shard to verify"].startswith(shard)
    assert ROWS["memory of a reader"].startswith(f"{worst_memory.MOST_MIB} MiB for the worst")
    assert f"cut at {EXCERPT_LENGTH} characters" in TEXT
    said = f"{terminal.LONGEST_SENTENCE} characters of text from outside"
    assert ROWS["a line of an error, a log or a report"].startswith(said)
    own = f"{own_files.MOST_BYTES // MIB} MiB,"
    assert ROWS["a key file, a trust file"].startswith(own)


def test_the_limits_in_a_browser_are_those_of_its_scripts() -> None:
    """What may be in a bundle is the same as here: the tests of the browser's verifier show it."""
    said = ROWS["a bundle to verify in a browser"]
    assert said == "the same, and 60 s for fetching it, 60 s for checking it, 10000 files at a time"
    for script, limit in (
        ("fetch/address.js", "MAX_SECONDS = 60;"),
        ("ui/verifier.js", "MAX_SECONDS = 60;"),
        ("ui/dropped-files.js", "MOST_FILES = 10_000;"),
    ):
        assert limit in (ROOT / "flows" / "registry" / "static" / script).read_text()


def test_every_file_that_it_names_exists() -> None:
    named = set(re.findall(r"`((?:transforms|flows)/[\w/]+\.py)`", TEXT))
    assert len(named) > 8
    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_readme_links_to_it() -> None:
    assert "(SECURITY.md)" in (ROOT / "README.md").read_text()
