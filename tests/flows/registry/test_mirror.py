"""A mirror ends with the registry's exact bundles, and keeps nothing that does not verify."""

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path
from random import Random
from threading import Thread
from typing import Any

import pytest
from support.commands.command import run
from support.papers.oai_pages import page, record
from support.paths import ROOT
from support.registry.file_server import serve_files
from support.registry.publishing import published
from support.runs.jobs import backfill_raw
from support.runs.runs import SAMPLE, bundle_files, config_in, process

from flows.common.errors import StoreError
from flows.common.http.pace import Pace
from flows.common.limits import RetryPolicy
from flows.registry.mirror.client import RegistryClient, RegistryError
from flows.registry.mirror.kept import MirrorFolder
from flows.registry.mirror.listings import NamedRecords
from flows.registry.mirror.mirror import MirrorReport, OwnBundle, mirror
from flows.registry.publish.published import FileLayout
from transforms.encoding.strict_json import read_json
from transforms.registry.addresses import change_path

GOLDEN_BUNDLE = ROOT / "tests" / "golden" / "1711.04623.bundle.json"
GOLDEN_SUFFIX = read_json(GOLDEN_BUNDLE.read_bytes())["pith_number"].rpartition(":")[2]
POLICY = RetryPolicy(attempts=3, read_seconds=10, longest_retry_after_seconds=2)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with the sample's nine records."""
    folder = tmp_path / "theirs"
    folder.mkdir()
    backfill_raw(config_in(folder), [SAMPLE])
    return folder


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """Serve a folder by the command, and yield the address."""
    program = "import sys; from flows.cli.main import main; sys.argv[0] = 'pith-ingest'; main()"
    command = [
        sys.executable, "-u", "-c", program, "registry", "serve", "--port", "0",
        "--data", str(folder / "data"), "--no-access-log",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder, text=True) as running:
        assert running.stdout
        try:
            yield running.stdout.readline().split(" at ")[1].strip()
        finally:
            running.terminate()


@contextmanager
def running(handler: Any) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Answers:
    """What a registry of the test answers by path: bytes, or a status with headers, once."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    failures: dict[str, list[tuple[int, Mapping[str, str]]]] = field(default_factory=dict)
    asked: list[tuple[str, float]] = field(default_factory=list)

    @contextmanager
    def served(self) -> Iterator[str]:
        answers = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answers.asked.append((self.path, time.monotonic()))
                body, status = answers.bodies.get(self.path), 200
                headers: Mapping[str, str] = {}
                if answers.failures.get(self.path):
                    status, headers = answers.failures[self.path].pop(0)
                    body = b""
                self.send_response(404 if body is None else status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, *_args: object) -> None:
                pass

        with running(Handler) as url:
            yield url


def mirrored(url: str, to: Path, *, own: OwnBundle | None = None) -> MirrorReport:
    with RegistryClient(url, Pace(to / ".pace.lock", 0), POLICY) as client:
        return mirror(client, MirrorFolder(to), url=url, own=own)


def kept_in(to: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in to.glob("*/*/*.json")}


@pytest.mark.process
def test_a_served_registry_is_mirrored_byte_for_byte_and_then_only_what_is_new(
    folder: Path, tmp_path: Path
) -> None:
    to = tmp_path / "mirror"
    with served(folder) as url:
        assert mirrored(url, to).kept == 9
        assert kept_in(to) == bundle_files(folder)
        process(folder, page(record("2101.00001")))
        report = mirrored(url, to)
    assert (report.kept, report.unchanged, report.refused) == (1, 0, [])
    assert kept_in(to) == bundle_files(folder)


@pytest.mark.parametrize("file_layout", ["files", "packs"])
def test_a_published_registry_is_mirrored_as_a_served_one(
    folder: Path, tmp_path: Path, file_layout: FileLayout
) -> None:
    site, to = tmp_path / "site", tmp_path / "mirror"
    published(folder, site, file_layout)
    with serve_files(site) as files:
        url = files.url
        assert mirrored(url, to).kept == 9
        assert kept_in(to) == bundle_files(folder)
        process(folder, page(record("2101.00001")))
        published(folder, site, file_layout)
        report = mirrored(url, to)
    assert (report.kept, report.refused) == (1, [])
    assert kept_in(to) == bundle_files(folder)


@pytest.mark.process
def test_a_mirror_killed_ten_times_ends_with_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    process(folder, page(*(record(f"2101.{n:05}") for n in range(60))))
    to = tmp_path / "mirror"
    program = "import sys; from flows.cli.main import main; sys.argv[0] = 'pith-ingest'; main()"
    with served(folder) as url:
        command = [
            sys.executable, "-c", program, "registry", "mirror", url, "--to", str(to),
            "--pace", "0", "--data", str(tmp_path / "none"),
        ]  # fmt: skip
        kills, choose = 0, Random(7)
        while kills < 10:
            wanted = len(kept_in(to)) + choose.randint(1, 5)
            quiet = subprocess.DEVNULL
            with subprocess.Popen(command, stdout=quiet, stderr=quiet, cwd=tmp_path) as child:
                while len(list(to.glob("*/*/*.json"))) < wanted:
                    assert child.poll() is None
                child.kill()
            kills += 1
        subprocess.run(command, check=True, capture_output=True, cwd=tmp_path)
    assert kept_in(to) == bundle_files(folder)


def listed(folder: Path) -> tuple[Answers, list[str]]:
    """Return a registry that lists a folder's bundles, and their suffixes."""
    bundles = bundle_files(folder)
    suffixes = sorted(bundles)
    answers = Answers({f"/pith/{suffix}/bundle.json": data for suffix, data in bundles.items()})
    key = read_json(bundles[suffixes[0]])["public_keys"][0]
    answers.bodies["/pith-signing-key.json"] = json.dumps(key).encode()
    answers.bodies[change_path(1)] = _change(suffixes)
    return answers, suffixes


def _change(suffixes: list[str]) -> bytes:
    return json.dumps({"folder": "f", "number": 1, "last": 1, "suffixes": suffixes}).encode()


def test_forged_truncated_older_and_foreign_bundles_are_named_and_not_kept(
    folder: Path, tmp_path: Path
) -> None:
    to = tmp_path / "mirror"
    process(folder, page(record("2101.00001")))
    old = bundle_files(folder)
    process(folder, page(record("2101.00001", datestamp="2026-11-20", authors="C. Three")))
    answers, suffixes = listed(folder)
    bundles = bundle_files(folder)
    (changed,) = (suffix for suffix in suffixes if old[suffix] != bundles[suffix])
    with answers.served() as url:
        assert mirrored(url, to).kept == len(suffixes)
        before = kept_in(to)
        # The same registry, which now lies about some: all is asked again, as after a loss.
        (to / "mirror.json").unlink()
        forged, truncated, foreign = [
            suffix for suffix in suffixes if suffix not in {changed, GOLDEN_SUFFIX}
        ][:3]
        wrong = {
            forged: bundles[forged].replace(b'"title":"', b'"title":"A', 1),
            truncated: bundles[truncated][:-200],
            changed: old[changed],
            foreign: bundles[suffixes[-1] if suffixes[-1] != foreign else suffixes[0]],
            GOLDEN_SUFFIX: GOLDEN_BUNDLE.read_bytes(),
        }
        for suffix, data in wrong.items():
            answers.bodies[f"/pith/{suffix}/bundle.json"] = data
        report = mirrored(url, to)
    assert kept_in(to) == before
    said = {line.split("/")[2]: line for line in report.refused}
    assert said.keys() == wrong.keys()
    assert "not valid" in said[forged]
    assert "unreadable" in said[truncated]
    assert "older: it lacks 1 of" in said[changed]
    assert "foreign: it is the bundle of" in said[foreign]
    assert "is no key of this registry" in said[GOLDEN_SUFFIX]
    noted = [json.loads(line) for line in (to / "refused.jsonl").read_bytes().splitlines()]
    assert len(noted) == len(wrong)


def _flipped(data: bytes, _other: bytes) -> bytes:
    return data.replace(b'"title":"', b'"title":"A', 1)


def _cut(data: bytes, _other: bytes) -> bytes:
    return data[:-200]


def _empty(_data: bytes, _other: bytes) -> bytes:
    return b""


def _no_json(_data: bytes, _other: bytes) -> bytes:
    return b"\x00" * 4096


def _of_another_paper(_data: bytes, other: bytes) -> bytes:
    return other


def _of_another_registry(_data: bytes, _other: bytes) -> bytes:
    return GOLDEN_BUNDLE.read_bytes()


@pytest.mark.parametrize(
    "damage", [_flipped, _cut, _empty, _no_json, _of_another_paper, _of_another_registry]
)
def test_a_kept_bundle_that_is_damaged_is_put_aside_said_and_fetched_anew(
    damage: Callable[[bytes, bytes], bytes], folder: Path, tmp_path: Path
) -> None:
    to = tmp_path / "mirror"
    answers, suffixes = listed(folder)
    with answers.served() as url:
        mirrored(url, to)
        whole = kept_in(to)
        (path,) = to.glob(f"*/*/{suffixes[0]}.json")
        for name in (f"{suffixes[0]}.json.damaged", f"{suffixes[0]}.json.damaged1"):
            (to / "mirror.json").unlink()
            damaged = damage(path.read_bytes(), whole[suffixes[1]])
            path.write_bytes(damaged)
            report = mirrored(url, to)
            assert (report.kept, report.unchanged, report.refused) == (1, len(suffixes) - 1, [])
            (said,) = report.damaged
            assert suffixes[0] in said
            assert said.endswith(str(path.with_name(name)))
            assert path.with_name(name).read_bytes() == damaged
            assert kept_in(to) == whole
        (to / "mirror.json").unlink()
        assert mirrored(url, to).damaged == []


def test_the_command_says_a_damaged_bundle_and_a_number_alone_mends_it(
    folder: Path, tmp_path: Path
) -> None:
    site, to, numbers = tmp_path / "site", tmp_path / "mirror", tmp_path / "numbers"
    published(folder, site, "files")
    with serve_files(site) as files:
        mirrored(files.url, to)
        (path, *_) = sorted(to.glob("*/*/*.json"))
        path.write_bytes(b"")
        numbers.write_text(path.stem)
        done = run(
            tmp_path, "registry", "mirror", files.url, "--to", to, "--numbers", numbers,
            "--pace", "0", "--data", tmp_path / "none",
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (1, "")
    assert f"damaged, fetched anew  pith:{path.parent.parent.name}:{path.stem}: " in done.stdout
    assert "bundles kept 1, there already 0, refused 0" in done.stdout
    assert kept_in(to) == bundle_files(folder)


def test_a_damaged_bundle_is_fetched_anew_out_of_packs(folder: Path, tmp_path: Path) -> None:
    site, to = tmp_path / "site", tmp_path / "mirror"
    published(folder, site, "packs")
    with serve_files(site) as files:
        mirrored(files.url, to)
        next(to.glob("*/*/*.json")).write_bytes(b"")
        (to / "mirror.json").unlink()
        report = mirrored(files.url, to)
    assert (report.kept, report.unchanged, len(report.damaged)) == (1, 8, 1)
    assert kept_in(to) == bundle_files(folder)


def test_a_registry_that_asks_to_wait_is_asked_later_and_it_is_said(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    answers, suffixes = listed(folder)
    busy = f"/pith/{suffixes[3]}/bundle.json"
    answers.failures[busy] = [(503, {"Retry-After": "1"}), (429, {"Retry-After": "1"})]
    with answers.served() as url, caplog.at_level(logging.INFO, "pith_ingest"):
        assert mirrored(url, tmp_path / "mirror").kept == len(suffixes)
    host, said = url.removeprefix("http://"), [one.getMessage() for one in caplog.records]
    assert [line for line in said if line.startswith("A request to")] == [
        f"A request to {host} failed (HTTP {status}); attempt {n} of 3 follows in 1 s."
        for n, status in ((2, 503), (3, 429))
    ]
    moments = [moment for path, moment in answers.asked if path == busy]
    assert len(moments) == 3
    assert all(later - earlier >= 1 for earlier, later in pairwise(moments))


def test_nobody_else_is_asked(folder: Path, tmp_path: Path) -> None:
    answers, suffixes = listed(folder)
    elsewhere = Answers({f"/pith/{suffixes[0]}/bundle.json": b"{}"})
    with elsewhere.served() as other, answers.served() as url:
        path = f"/pith/{suffixes[0]}/bundle.json"
        answers.failures[path] = [(302, {"Location": f"{other}{path}"})]
        with pytest.raises(RegistryError, match="leads elsewhere"):
            mirrored(url, tmp_path / "mirror")
    assert elsewhere.asked == []


def test_a_folder_mirrors_one_registry(folder: Path, tmp_path: Path) -> None:
    answers, _ = listed(folder)
    with answers.served() as url:
        mirrored(url, tmp_path / "mirror")
    with answers.served() as other, pytest.raises(StoreError, match="take another folder"):
        mirrored(other, tmp_path / "mirror")


def test_a_registry_without_a_list_needs_numbers(folder: Path, tmp_path: Path) -> None:
    answers, suffixes = listed(folder)
    del answers.bodies[change_path(1)]
    to = tmp_path / "mirror"
    with answers.served() as url:
        with pytest.raises(RegistryError, match="--numbers"):
            mirrored(url, to)
        with RegistryClient(url, Pace(to / ".pace.lock", 0), POLICY) as client:
            asked = NamedRecords(client, [*suffixes[:2], "A" * 26])
            report = mirror(client, MirrorFolder(to), url=url, listing=asked)
    assert (report.kept, report.gone) == (2, 1)


def test_what_differs_from_ours_is_said(folder: Path, tmp_path: Path) -> None:
    answers, suffixes = listed(folder)
    mine = dict(bundle_files(folder))
    other = tmp_path / "ours"
    other.mkdir()
    backfill_raw(config_in(other), [SAMPLE])
    ours = {f"{s}": data for s, data in bundle_files(other).items()}
    with answers.served() as url:
        report = mirrored(url, tmp_path / "mirror", own=lambda n: ours.get(n.rpartition(":")[2]))
    assert len(report.differing) == sum(mine[suffix] != ours[suffix] for suffix in suffixes) > 0
    assert "only there" in report.differing[0]


def test_a_hostile_list_asks_for_nothing_else(folder: Path, tmp_path: Path) -> None:
    answers, suffixes = listed(folder)
    odd = ["../../etc/passwd", "", suffixes[0], "A" * 10_000]
    answers.bodies[change_path(1)] = _change(odd)
    with answers.served() as url:
        assert mirrored(url, tmp_path / "mirror").kept == 1
    assert {path for path, _ in answers.asked if path.startswith("/pith/")} == {
        f"/pith/{suffixes[0]}/bundle.json"
    }
