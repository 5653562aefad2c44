"""The registry's documents over HTTP, as clients, caches and browsers ask for them."""

import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
import zstandard
from support.bundles.schemas import NAMES, SCHEMAS, bundle_errors, errors
from support.papers.oai_pages import page, record, version
from support.registry.serving import Served, serving
from support.runs.jobs import backfill_raw
from support.runs.runs import SAMPLE, bundle_files, config_in, process

from flows.registry.reader import RegistryReader
from flows.registry.server.app import Registry, _routes
from flows.registry.site.site import Site
from flows.store.layout import Layout
from transforms.verify.verify import verify_bundle

pytestmark = pytest.mark.process

TWINS, SHARED_NUMBER = ("1812.71604", "2006.04138"), "2QT3DCKS"
PAPER = "1906.10822"
SUFFIX = "JUV2VY6FK23SMEDNHMW23VESQV"
BUNDLE = f"/pith/{SUFFIX}/bundle.json"
JQ = "jq -c .canonical_record"
NO_JQ = (
    f"{sys.executable} -c 'import sys,json; print(json.dumps(json.load(sys.stdin)[sys.argv[1]]))'"
)
RECIPE = (
    "curl -sH 'Accept: application/ld+json' {base}/pith/{suffix} | {jq} | "
    'python3 -c "import sys,json,hashlib; print(hashlib.sha256(json.dumps(json.load(sys.stdin), '
    "sort_keys=True, separators=(',',':'), ensure_ascii=False).encode()).hexdigest())\""
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the sample's records, and two whose short numbers are one."""
    made = tmp_path_factory.mktemp("registry")
    assert backfill_raw(config_in(made), [SAMPLE]).counts.new_records == 9
    process(made, page(*(record(arxiv_id) for arxiv_id in TWINS)))
    return made


@pytest.fixture(scope="module")
def served(folder: Path) -> Iterator[Served]:
    with serving(folder) as service:
        yield service


def problem(response: Any) -> dict[str, Any]:
    """Return what a reply says is wrong, of the form of RFC 9457."""
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["cache-control"] == "no-store"
    said: dict[str, Any] = response.json()
    assert said.keys() == {"type", "title", "status", "detail"}
    assert said["status"] == response.status_code
    assert said["detail"].endswith(".")
    return said


def test_every_bundle_is_served_byte_for_byte(folder: Path, served: Served) -> None:
    files = bundle_files(folder)
    assert len(files) == 11
    for suffix, data in files.items():
        for path in (f"/pith/{suffix}/bundle.json", f"/.well-known/pith/{suffix}/bundle.json"):
            reply = served.get(path)
            assert (reply.status_code, reply.content) == (200, data)
            assert reply.headers["content-type"] == "application/json"
            assert reply.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'


def test_bundles_and_pages_asked_for_at_once_are_each_whole(folder: Path, served: Served) -> None:
    bundles = {f"/pith/{suffix}/bundle.json": data for suffix, data in bundle_files(folder).items()}
    pages = [path.removesuffix("/bundle.json") for path in bundles]
    expected = bundles | {path: served.get(path, accept="text/html").content for path in pages}
    paths = list(expected) * 8
    Random(16).shuffle(paths)

    def ask(some: list[str]) -> list[str]:
        with httpx.Client(base_url=served.url, headers={"accept": "text/html"}) as client:
            return [path for path in some if client.get(path).content != expected[path]]

    with ThreadPoolExecutor(8) as pool:
        wrong = list(pool.map(ask, [paths[number::8] for number in range(8)]))
    assert wrong == [[]] * 8
    assert served.errors.read_text() == ""


def test_states_and_record_documents_fit_their_schemas(folder: Path, served: Served) -> None:
    for suffix, data in bundle_files(folder).items():
        state = served.get(f"/pith/{suffix}/state.json").content
        assert b'"state":' + state + b',"bundle_signature"' in data
        document = served.get(f"/pith/{suffix}.json").json()
        assert errors("number-record", document) == []
        assert document["canonical_record"] == json.loads(data)["canonical_record"]
        assert document["schema_url"].endswith("/schemas/1.0/number-record.schema.json")


def test_the_documents_of_the_registry_fit_their_schemas(folder: Path, served: Served) -> None:
    manifest = served.get("/pith-mirrors.json").json()
    assert errors("mirror-manifest", manifest) == []
    key = served.get("/pith-signing-key.json").json()
    assert errors("signing-key", key) == []
    (mirror,) = manifest["mirrors"]
    assert mirror["public_key"] == key
    assert all(json.loads(data)["public_keys"][0] == key for data in bundle_files(folder).values())
    for pattern in ("bundle_pattern", "state_pattern", "well_known_pattern"):
        path = mirror[pattern].removeprefix(mirror["base_url"]).replace("{suffix}", SUFFIX)
        assert served.get(path).status_code == 200


@pytest.mark.parametrize("name", NAMES)
def test_every_schema_is_served_below_the_path_of_its_id(name: str, served: Served) -> None:
    path = re.sub(r"^https://[^/]*", "", SCHEMAS[name]["$id"])
    reply = served.get(path)
    assert reply.json() == SCHEMAS[name]
    assert reply.headers["content-type"] == "application/schema+json"


def test_the_recipe_gives_the_hash_of_every_record(folder: Path, served: Served) -> None:
    if not shutil.which("curl"):
        pytest.skip("curl is missing, with which the recipe asks")
    jq = JQ if shutil.which("jq") else f"{NO_JQ} canonical_record"
    for suffix, data in bundle_files(folder).items():
        command = RECIPE.format(base=served.url, suffix=suffix, jq=jq)
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
        assert done.stdout.strip() == json.loads(data)["canonical_sha256"]


def test_a_header_that_stands_twice_is_a_list(served: Served) -> None:
    etag = served.get(BUNDLE).headers["etag"]
    lines = f'If-None-Match: "a"\r\nIf-None-Match: {etag}\r\nConnection: close'
    reply = served.raw(f"GET {BUNDLE} HTTP/1.1\r\nHost: x\r\n{lines}\r\n\r\n".encode())
    assert reply.startswith(b"HTTP/1.1 304 ")


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "text/html; charset=utf-8"),
        ("*/*", "text/html; charset=utf-8"),
        ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html; charset=utf-8"),
        ("application/ld+json", "application/ld+json"),
        ("Application/LD+JSON; profile=x", "application/ld+json"),
        ("application/json", "application/json"),
        ("application/*", "application/ld+json"),
        ("text/html;q=0.5, application/ld+json;q=0.9", "application/ld+json"),
        ("text/html;q=0, */*", "application/ld+json"),
        ("image/png, application/ld+json;q=0.001", "application/ld+json"),
    ],
)
def test_a_record_is_a_page_or_a_document_as_asked(
    accept: str, expected: str, served: Served
) -> None:
    reply = served.get(f"/pith/{SUFFIX}", accept=accept)
    assert (reply.status_code, reply.headers["content-type"]) == (200, expected)
    assert "Accept" in reply.headers["vary"]
    if "json" in expected:
        assert reply.json() == served.get(f"/pith/{SUFFIX}.json").json()
    else:
        assert SUFFIX in reply.text


def test_what_nobody_can_read_is_not_acceptable(served: Served) -> None:
    for accept in ("image/png", "text/html;q=0", "application/ld+json;q=0.000, text/plain"):
        reply = served.get(f"/pith/{SUFFIX}", accept=accept)
        assert reply.status_code == 406
        assert "application/ld+json" in problem(reply)["detail"]


@pytest.mark.parametrize(
    "name",
    [SUFFIX[:8], SUFFIX[:12], SUFFIX[:16], SUFFIX.lower(), SUFFIX[:8].lower(), PAPER, f"{PAPER}v1",
     f"pith:2019:{SUFFIX}", f"pith%3A2019%3A{SUFFIX}", f"10.48550/arXiv.{PAPER}",
     f"doi:10.48550/arxiv.{PAPER}", f"arXiv:{PAPER}", f"{SUFFIX}/"],
)  # fmt: skip
def test_every_other_name_leads_to_the_canonical_address(name: str, served: Served) -> None:
    for tail in ("", ".json", "/bundle.json", "/state.json"):
        reply = served.get(f"/pith/{name}{tail}")
        expected = f"/pith/{SUFFIX}{tail}"
        assert (reply.status_code, reply.headers["location"]) == (302, expected)
        assert served.get(expected).status_code == 200
    reply = served.get(f"/.well-known/pith/{name}/bundle.json")
    assert reply.headers["location"] == f"/.well-known/pith/{SUFFIX}/bundle.json"


def test_an_old_id_has_a_slash(folder: Path, served: Served) -> None:
    old = [b for b in map(json.loads, bundle_files(folder).values()) if "/" in b["source"]["id"]]
    assert old
    for bundle in old:
        reply = served.get(f"/pith/{bundle['source']['id']}/bundle.json")
        suffix = bundle["pith_number"].rpartition(":")[2]
        assert reply.headers["location"] == f"/pith/{suffix}/bundle.json"


def test_an_ambiguous_number_gives_the_candidates(served: Served) -> None:
    reply = served.get(f"/pith/{SHARED_NUMBER.lower()}/bundle.json")
    assert reply.status_code == 300
    said = reply.json()
    assert said["count"] == 2
    assert {candidate["arxiv_id"] for candidate in said["candidates"]} == set(TWINS)
    for candidate in said["candidates"]:
        bundle = served.get(candidate["address"]).json()
        assert bundle["pith_number"] == candidate["pith_number"]


@pytest.mark.parametrize(
    "path",
    ["/nothing", "/pith/", "/pith", f"/pith/{'A' * 26}", f"/pith/{'A' * 26}/bundle.json",
     "/pith/AAAAAAAA", "/pith/0001.0001", f"/pith/{PAPER}v9", "/pith/a%20b", "/schemas/1.0/no",
     "/schemas/1.0/..%2f__init__.py", "/.well-known/pith/x", f"/pith/{SUFFIX}/graph.json",
     f"/pith/{SUFFIX}/claims.json", "/pith//bundle.json", "/healthz/"],
)  # fmt: skip
def test_what_is_not_there_is_a_problem_with_words(path: str, served: Served) -> None:
    reply = served.get(path)
    assert reply.status_code == 404
    assert problem(reply)["title"] == "Not Found"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "TRACE", "BREW"])
def test_nothing_is_changed_by_requests(method: str, served: Served) -> None:
    reply = served.ask(method, BUNDLE)
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    problem(reply)


def test_a_request_with_a_body_is_refused(served: Served) -> None:
    reply = served.raw(
        f"GET {BUNDLE} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello".encode()
    )
    assert reply.startswith(b"HTTP/1.1 413 ")


PATHS = ["/", BUNDLE, f"/pith/{SUFFIX}", f"/pith/{SUFFIX}.json", f"/pith/{SUFFIX}/state.json",
         "/pith-mirrors.json", "/pith-signing-key.json", "/schemas/1.0/bundle.schema.json",
         "/openapi.json"]  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_every_document_knows_its_etag_its_head_and_its_parts(path: str, served: Served) -> None:
    whole = served.get(path)
    etag = whole.headers["etag"]
    assert etag == f'"{hashlib.sha256(whole.content).hexdigest()}"'
    head = served.ask("HEAD", path)
    assert (head.status_code, head.content) == (200, b"")
    different = {"date", "x"}
    assert [item for item in head.headers.items() if item[0] not in different] == [
        item for item in whole.headers.items() if item[0] not in different
    ]
    for known in (etag, f"W/{etag}", f'"a", {etag}', "*", f'{etag[:-1]}-gzip"'):
        reply = served.get(path, if_none_match=known)
        assert (reply.status_code, reply.content, reply.headers["etag"]) == (304, b"", etag)
        assert "content-type" not in reply.headers
        assert reply.headers["cache-control"] == whole.headers["cache-control"]
    assert served.get(path, if_none_match='"other"').content == whole.content
    part = served.get(path, range="bytes=3-9")
    assert (part.status_code, part.content) == (206, whole.content[3:10])
    assert part.headers["content-range"] == f"bytes 3-9/{len(whole.content)}"


@pytest.mark.parametrize("path", [BUNDLE, f"/pith/{SUFFIX}", f"/pith/{SUFFIX}/state.json"])
def test_a_document_of_a_record_knows_its_time(path: str, served: Served) -> None:
    modified = served.get(path).headers["last-modified"]
    assert served.get(path, if_modified_since=modified).status_code == 304
    later, earlier = "Fri, 01 Jan 2100 00:00:00 GMT", "Thu, 01 Jan 1970 00:00:00 GMT"
    assert served.get(path, if_modified_since=later).status_code == 304
    for since in (earlier, "yesterday", "", "Fri, 99 Foo 2100 00:00:00 GMT"):
        assert served.get(path, if_modified_since=since).status_code == 200
    # An ETag counts before a time.
    reply = served.get(path, if_none_match='"other"', if_modified_since=later)
    assert reply.status_code == 200


def test_ranges_are_those_of_the_standard(served: Served) -> None:
    whole = served.get(BUNDLE)
    data, etag = whole.content, whole.headers["etag"]
    size = len(data)
    for asked, part in {
        "bytes=0-0": data[:1], "bytes=-5": data[-5:], "bytes=100-": data[100:],
        f"bytes=0-{size * 9}": data, f"bytes=-{size * 9}": data,
        f"bytes={size - 1}-": data[-1:],
    }.items():  # fmt: skip
        reply = served.get(BUNDLE, range=asked, accept_encoding="gzip")
        assert (reply.status_code, reply.content) == (206, part), asked
        assert "content-encoding" not in reply.headers
    for asked in (f"bytes={size}-", f"bytes={size}-{size}", "bytes=-0"):
        reply = served.get(BUNDLE, range=asked)
        assert (reply.status_code, reply.headers["content-range"]) == (416, f"bytes */{size}")
        problem(reply)
    for asked in ("bytes=0-1,5-6", "bytes=5-2", "bytes=-", "bytes", "lines=0-1", "bytes=a-b",
                  "bytes=0-" + "9" * 99, "bytes=1_0-2_0"):  # fmt: skip
        assert served.get(BUNDLE, range=asked).status_code == 200, asked
    for condition, status in ((etag, 206), (whole.headers["last-modified"], 206), ('"x"', 200),
                              (f"W/{etag}", 200)):  # fmt: skip
        reply = served.get(BUNDLE, range="bytes=0-9", if_range=condition)
        assert reply.status_code == status, condition
    assert served.ask("HEAD", BUNDLE, range="bytes=0-9").status_code == 200


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [("gzip", "gzip"), ("zstd", "zstd"), ("gzip, deflate, br, zstd", "zstd"), ("*", "zstd"),
     ("gzip;q=0.5, zstd;q=0.2", "gzip"), ("zstd;q=0, gzip", "gzip"), ("identity", None),
     ("br", None), ("gzip;q=0", None), ("*;q=0", None), ("gzip;q=0.5, identity", None),
     ("gzip;q=nan", "gzip"), ("", None)],
)  # fmt: skip
def test_bodies_are_compressed_as_asked(
    accepted: str, encoding: str | None, folder: Path, served: Served
) -> None:
    data = bundle_files(folder)[SUFFIX]
    reply = served.raw(
        f"GET {BUNDLE} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: {accepted}\r\n"
        "Connection: close\r\n\r\n".encode()
    )
    head, _, body = reply.partition(b"\r\n\r\n")
    said = re.search(rb"content-encoding: (\w+)", head)
    assert (said[1].decode() if said else None) == encoding
    unpack: dict[str, Callable[[bytes], bytes]] = {
        "gzip": gzip.decompress,
        "zstd": zstandard.decompress,
    }
    assert (unpack[encoding](body) if encoding else body) == data
    mark = f"-{encoding}" if encoding else ""
    assert f'etag: "{hashlib.sha256(data).hexdigest()}{mark}"'.encode() in head
    assert b"vary: Accept-Encoding" in head
    if encoding:
        assert len(body) < len(data) / 3


def test_any_page_may_ask_and_read_the_reply(served: Served) -> None:
    reply = served.get(BUNDLE, origin="https://elsewhere.example")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "ETag" in reply.headers["access-control-expose-headers"]
    preflight = served.ask(
        "OPTIONS", BUNDLE, origin="https://elsewhere.example",
        access_control_request_method="GET", access_control_request_headers="if-none-match",
    )  # fmt: skip
    assert preflight.status_code == 204
    assert "GET" in preflight.headers["access-control-allow-methods"]
    assert "If-None-Match" in preflight.headers["access-control-allow-headers"]


@pytest.mark.parametrize("path", [*PATHS, "/nothing", "/healthz"])
def test_every_reply_is_closed_to_what_a_page_could_do(path: str, served: Served) -> None:
    headers = served.get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "server" not in headers


def test_it_says_whether_it_is_well(served: Served) -> None:
    for path, status in (("/healthz", "ok"), ("/readyz", "ready")):
        reply = served.get(path)
        assert (reply.json(), reply.headers["cache-control"]) == ({"status": status}, "no-store")


def test_openapi_describes_every_address(folder: Path, served: Served) -> None:
    said = served.get("/openapi.json").json()
    assert said["openapi"].startswith("3.1")
    run = next((folder / "data" / "runs").iterdir()).name
    values = {"{name}": SUFFIX, "{schema}": "state.schema.json", "{run}": run,
              "{number}": "1.json"}  # fmt: skip
    for path, item in said["paths"].items():
        asked = path
        for name, value in values.items():
            asked = asked.replace(name, value)
        reply = served.get(asked)
        assert reply.status_code == 200, path
        media_type = reply.headers["content-type"].partition(";")[0]
        described = item["get"]["responses"]["200"]["content"][media_type]
        if ref := described.get("schema", {}).get("$ref"):
            assert served.get(ref).status_code == 200
    assert not refs_that_lead_nowhere(said)
    with RegistryReader(Layout(folder / "data")) as reader:
        registry = Registry(reader, "https://r.example", "R")
        routes: list[Any] = _routes(registry, Site(reader, registry.base_url, registry.name))
    others = {"/schemas/1.0/{name}", "/static/{name:path}"}
    assert {route.path for route in routes} - others <= said["paths"].keys()


def refs_that_lead_nowhere(document: Any) -> set[str]:
    """Return the references within an OpenAPI document to what it has not."""
    found = set(re.findall(r'"\$ref": "#/([^"]*)"', json.dumps(document)))
    missing = set()
    for ref in found:
        value = document
        for part in ref.split("/"):
            value = value.get(part, {})
        if not value:
            missing.add(ref)
    return missing


def test_a_bundle_that_grows_beside_the_service_is_served_anew(tmp_path: Path) -> None:
    process(tmp_path, page(record(), record("math/0410603")))
    with serving(tmp_path) as served:
        first = served.get("/pith/0903.0442/bundle.json").headers["location"]
        before = served.get(first)
        process(tmp_path, page(record(authors="C. Three")))
        data = bundle_files(tmp_path)[first.split("/")[2]]
        while (after := served.get(first)).content == before.content:
            assert after.headers["etag"] == before.headers["etag"]
        assert after.content == data
        assert after.headers["etag"] == f'"{hashlib.sha256(data).hexdigest()}"'
        assert verify_bundle(after.content, []).valid
        assert bundle_errors(after.json()) == []
        process(tmp_path, page(record(versions=version(1) + version(2), title="Another")))
        assert served.get("/pith/0903.0442/bundle.json").headers["location"] != first
        assert served.get("/pith/0903.0442v1/bundle.json").headers["location"] == first
