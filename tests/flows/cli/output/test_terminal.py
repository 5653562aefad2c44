"""Whatever text comes in, what is written is safe: on the terminal, in reports, in Prefect's log.

Escape sequences, line ends of all kinds, C1 and bidi controls go through every field, file name,
setting, word and server message, and all that comes out is looked at.
"""

import ast
import copy
import json
import os
import pty
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.commands.command import run
from support.hostile.text import ANY, IN_XML, assert_safe, stand, texts
from support.papers.golden_data import FOLDER, GOLDEN
from support.papers.oai_pages import error, page, record, version
from support.papers.snapshot_rows import line, older_row, row
from support.paths import ROOT
from support.runs.runs import process

from flows.common.terminal import LONGEST_SENTENCE, looks_like_key, printable, quoted, sentence
from transforms import Identity, Issuer, IssueTimes, build_bundle
from transforms.bundle.build import bundle_bytes, draft
from transforms.bundle.later_events import append_snapshot
from transforms.encoding.timestamps import from_text
from transforms.signing import Ed25519Signer, encode_base64
from transforms.verify.verify import verify_bundle

pytestmark = pytest.mark.process

FLOWS = ROOT / "flows"
NOW = from_text("2026-11-21T00:00:00Z")
KEY = encode_base64(bytes(range(32)))


def test_control_characters_are_written_out() -> None:
    assert printable("a\nvalid, trusted\x1b[2J\u202e b") == r"a\nvalid, trusted\x1b[2J\u202e b"
    assert printable("Łukasz 王 ok") == "Łukasz 王 ok"
    assert printable("a" * 10, 4) == "aaaa…"


def test_of_all_characters_none_acts() -> None:
    for start in range(0, sys.maxunicode + 1, 4096):
        assert_safe(printable("".join(map(chr, range(start, start + 4096)))))


def test_a_sentence_is_one_line_not_long_and_shows_no_key() -> None:
    said = sentence(f"{ANY} the key {KEY} {'x' * 10**6}")
    assert_safe(said)
    assert len(said) < 2 * LONGEST_SENTENCE
    assert KEY[:40] not in said
    assert quoted("fast") == "'fast'"
    for text in (KEY, f"key_file:{KEY}", KEY.rstrip("="), bytes(range(32)).hex()):
        assert KEY[:20] not in quoted(text)


NO_KEYS = [
    "my-registry-signing-key-2026-production-key1",
    "Registry-Signing-Key-2026-Production-A1",
    "/Users/AliceB/MyDocuments2026/ArxivData/TablesV2",
    "/srv/pith/data/bundles/2019/JU/JUV2VY6FK23SMEDNHMW23VESQV.json",
    "data/raw/ab/ab" + "0f1e2d3c" * 8 + ".xml.zst",
    "sha256:" + "0f1e2d3c" * 8,
    "20261121T033814Z-backfill-7b32",
    "0" * 63,
]


@pytest.mark.parametrize("text", NO_KEYS)
def test_a_name_or_a_path_is_no_key(text: str) -> None:
    assert not looks_like_key(text)
    assert text in sentence(f"cannot read {text}: it is not there")


def test_of_a_thousand_random_keys_all_are_seen_and_nearly_all_without_their_end() -> None:
    rng = Random(12)
    keys = [encode_base64(rng.randbytes(32)) for _ in range(1000)]
    assert all(map(looks_like_key, keys))
    assert not any(key[:30] in sentence(f"a path/{key} and") for key in keys)
    for cut in (slice(0, 43), slice(1, 44), slice(0, 36)):
        assert sum(looks_like_key(key[cut]) for key in keys) > 950


WRITERS = {"typer.echo", "typer.secho", "print", "sys.stdout.write", "sys.stderr.write"}


def calls(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


def test_one_module_writes_and_one_logger_logs() -> None:
    modules = sorted(FLOWS.rglob("*.py"))
    assert len(modules) > 60
    writing = {m.name for m in modules for call in calls(m) if call in WRITERS}
    # The terminal itself, by a variable; nobody else.
    assert writing == set()
    raw = {m.name for m in modules for call in calls(m) if call.endswith((".write", ".writelines"))
           and "std" in call}  # fmt: skip
    assert raw == {"show.py"}  # the exact bytes of a bundle, where no terminal is
    loggers = {m.name for m in modules for call in calls(m) if call.endswith("getLogger")}
    assert loggers == {"progress.py", "main.py"}


def test_a_title_cannot_forge_a_line(tmp_path: Path) -> None:
    process(tmp_path, page(record(title="A title\u0085forged\u2028line")))
    found = run(tmp_path, "find", "--data", tmp_path / "data")
    assert len(found.stdout.splitlines()) == 1
    assert r"A title\x85forged\u2028line" in found.stdout


def assert_all_safe(folder: Path, *done: Any) -> None:
    """Assert that all that commands printed is safe, and all reports that they left."""
    for one in done:
        assert "a fault in pith-ingest itself" not in one.stderr
        assert_safe(one.stdout)
        assert_safe(one.stderr)
    for report in folder.rglob("runs/*/report.*"):
        assert_safe(report.read_text(encoding="utf-8"))


def hostile_name(folder: Path, suffix: str) -> Path:
    """Return a path below `folder` whose folder and file have names that mean harm."""
    inside = folder / f"d{ANY[:60]}"
    inside.mkdir(exist_ok=True)
    # Bytes that are no UTF-8 too, which Python gives as lone surrogates.
    return inside / f"{{0}}{{x!r}}{ANY}\udcff{suffix}"


def spoilt(document: Any, path: tuple[Any, ...], *, name: bool) -> Any:
    """Return a copy with a hostile value at `path`, or with a hostile name in its place."""
    copied = copy.deepcopy(document)
    parent = copied
    for step in path[:-1]:
        parent = parent[step]
    if name and isinstance(parent, dict):
        parent[ANY] = parent.pop(path[-1])
    else:
        parent[path[-1]] = ANY + "\ud800"
    return copied


def hostile_issuer(seed: int) -> Issuer:
    identity = Identity(
        signer_id=f"signer {ANY}", base_url="https://x.example", resolver_name=f"resolver {ANY}",
        key_id=f"key {ANY}", key_url="https://x.example/key.json", key_notes=ANY,
        builder_version=f"builder {ANY}",
    )  # fmt: skip
    return Issuer(identity, Ed25519Signer(bytes([seed]) * 32))


def test_no_field_of_a_bundle_reaches_the_terminal_as_it_is(tmp_path: Path) -> None:
    places = list(texts(GOLDEN[0].bundle))
    assert len(places) > 150
    folder = tmp_path / "bundles"
    folder.mkdir()
    for number, place in enumerate(places):
        for name in (False, True):
            evil = spoilt(GOLDEN[0].bundle, place, name=name)
            (folder / f"{number:04}{name}.json").write_text(json.dumps(evil))
    hostile_name(folder, ".json").write_bytes(GOLDEN[0].data)
    for form in ([], ["--quiet"], ["--verbose"], ["--json"]):
        done = stand(tmp_path, "verify", *form, folder)
        assert done.returncode == 1
        assert_all_safe(tmp_path, done)
        assert len(done.stdout.splitlines()) >= 2 * len(places)


def test_no_valid_bundle_of_a_stranger_does(tmp_path: Path) -> None:
    issuer = hostile_issuer(1)
    bundle = build_bundle(
        GOLDEN[0].paper, issuer=issuer, times=IssueTimes.at(from_text("2026-11-18T00:00:00Z"))
    )
    names = []
    for second in ("2026-11-19T00:00:00Z", "2026-11-20T00:00:00Z"):
        copied = append_snapshot(
            bundle, draft(GOLDEN[0].paper), issuer=issuer, moment=from_text(second)
        )
        names.append(hostile_name(tmp_path, f"{second[8:10]}.json"))
        names[-1].write_bytes(bundle_bytes(copied))
        assert verify_bundle(names[-1].read_bytes(), []).valid
    output = hostile_name(tmp_path, ".out")
    stand(tmp_path, "keygen")
    merged = stand(tmp_path, "merge", *names, "--output", output)
    assert merged.returncode == 0
    assert "EQUIVOCATION by " in merged.stdout
    forms = [stand(tmp_path, "verify", *form, *names) for form in ([], ["--verbose"], ["--json"])]
    assert_all_safe(tmp_path, merged, *forms, stand(tmp_path, "merge", *names, "--output", output))


def test_no_column_of_a_shard_and_no_metadata_does(tmp_path: Path) -> None:
    columns = {
        name: pa.array([ANY]) for name in ("pith_number", "canonical_sha256", "bundle_sha256", ANY)
    }
    shard = tmp_path / f"{ANY}.parquet"
    with shard.open("wb") as file:
        pq.write_table(
            pa.table({"bundle": pa.array([GOLDEN[0].data], pa.binary()), **columns}), file
        )
    metadata = hostile_name(tmp_path, ".jsonl")
    metadata.write_text(json.dumps({"id": ANY, "version": ANY, "title": ANY, "abstract": ANY}))
    golden = FOLDER / f"{GOLDEN[0].id}.bundle.json"
    done = [
        stand(tmp_path, "verify", "--verbose", shard),
        stand(tmp_path, "verify", "--metadata", metadata, golden),
        stand(tmp_path, "verify", "--metadata", tmp_path / ANY, golden),
        stand(tmp_path, "verify", tmp_path / ANY, metadata.parent / f"{ANY}.parquet"),
    ]
    assert [one.returncode for one in done] == [1, 2, 2, 2]
    assert_all_safe(tmp_path, *done)


def snapshot_lines() -> Iterator[bytes]:
    """Give a row for each field of both schemas with a hostile value, usable or not."""
    number = 0
    for make in (row, older_row):
        for place in list(texts(make())):
            number += 1
            whole = make(f"2201.{number:05}")
            if place != ("id",):
                yield line(spoilt(whole, place, name=False))
                # Kept, where `spoilt` gave it a lone surrogate and made it a reject.
                yield (
                    json.dumps(
                        json.loads(line(spoilt(whole, place, name=False)).replace(rb"\ud800", b""))
                    ).encode()
                    + b"\n"
                )
            yield line(spoilt(whole, place, name=True))
    yield line({**row(), "id": ANY})
    yield f"{ANY}\n".encode()


def test_no_field_of_a_snapshot_does(tmp_path: Path) -> None:
    snapshot = hostile_name(tmp_path, ".json")
    snapshot.write_bytes(b"".join(snapshot_lines()))
    identity = {
        "PITH_IDENTITY__KEY_ID": f"|`{ANY}",
        "PITH_IDENTITY__SIGNER_ID": ANY,
        "PITH_IDENTITY__BUILDER_VERSION": f"</code>|{ANY}",
    }
    filled = stand(
        tmp_path, "backfill", "--snapshot", snapshot, "--data", tmp_path / "d", **identity
    )
    assert filled.returncode == 1, filled.stderr
    found = stand(tmp_path, "find", "--limit", "1000", "--data", tmp_path / "d")
    ids = [each.split()[0] for each in found.stdout.splitlines()]
    assert len(ids) > 20
    shown = [stand(tmp_path, "show", each, "--data", tmp_path / "d") for each in ids[::5]]
    (tmp_path / "d" / "runs" / f"9{ANY}").mkdir()
    assert_all_safe(
        tmp_path, filled, found, *shown, stand(tmp_path, "status", "--data", tmp_path / "d")
    )
    assert list(tmp_path.rglob("runs/*/report.md"))


FIELDS = (
    "submitter", "title", "authors", "categories", "license", "abstract", "comments", "proxy",
    "report-no", "acm-class", "msc-class", "journal-ref", "doi",
)  # fmt: skip


def replies() -> Iterator[bytes]:
    """Give a reply for each field with a hostile text, and others that are refused."""
    text = f"a title {IN_XML}"
    for number, name in enumerate(FIELDS):
        yield page(record(f"2202.{number:05}", **{name: text}))
    yield page(record(datestamp=IN_XML))
    yield page(record(versions=version(1, date=f"{IN_XML} GMT")))
    yield page(record(versions=version(1).replace("v1", IN_XML)))
    yield page(record("2202.99999").replace("oai:arXiv.org:2202.99999", IN_XML))
    yield page(record("2202.99999").replace("<id>2202.99999", f"<id>{IN_XML}"))
    yield page(record("2202.99999").replace("arXivRaw", "evil\u00b7name").replace("OAI/", IN_XML))
    yield page(record(), token=IN_XML)
    yield error("idDoesNotExist", IN_XML)
    yield error(IN_XML, IN_XML * 2000)
    yield f"<a\u00b7b xmlns='{IN_XML}'/>".encode()
    yield f"{IN_XML}<a".encode()
    yield ANY.encode()


def test_no_field_of_a_reply_and_no_file_name_does(tmp_path: Path) -> None:
    folder = tmp_path / "replies"
    folder.mkdir()
    for number, reply in enumerate(replies()):
        hostile_name(folder, f"{number}.xml").write_bytes(reply)
    hostile_name(folder, ".xml.gz").write_bytes(b"\x1f\x8b damaged")
    done = stand(tmp_path, "backfill", "--raw", folder, "--data", tmp_path / "d")
    assert done.returncode == 1, done.stderr
    assert " that could not be used:" in done.stdout
    again = stand(tmp_path, "backfill", "--raw", tmp_path / ANY, "--data", tmp_path / "d")
    assert_all_safe(tmp_path, done, again, stand(tmp_path, "find", "--data", tmp_path / "d"))


COMMANDS: dict[str, Callable[[Path], list[str | Path]]] = {
    "an unknown command": lambda _: [ANY],
    "an unknown option": lambda _: ["verify", f"--x{ANY}"],
    "a number": lambda _: ["find", "--limit", ANY],
    "a day": lambda _: ["backfill", "--category", "cs.LG", "--from", ANY],
    "a category": lambda _: ["backfill", "--raw", "x", "--category", ANY],
    "a paper": lambda _: ["rerun", ANY],
    "a name": lambda folder: ["show", ANY, "--data", folder],
    "a data folder": lambda _: ["show", "1906.10822", "--data", ANY],
    "a place in a store": lambda _: ["find", "--data", f"s3://{ANY}"],
    "a bucket": lambda _: ["find", "--data", f"s3://{IN_XML}"],
    "an export": lambda folder: ["export", ANY, "--data", folder],
    "a key to trust": lambda _: ["verify", "--trust", ANY, "x"],
    "a source of trust": lambda _: ["trust", "add", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
                                    "--from", ANY],
    "the list of trust": lambda _: ["trust", "list"],
    "a key to remove": lambda _: ["trust", "remove", ANY],
    "a key file": lambda folder: ["keygen", folder / ANY],
    "the key file again": lambda folder: ["keygen", folder / ANY],
    "a configuration": lambda folder: ["find", "--config", folder / ANY],
}  # fmt: skip


def test_no_word_of_a_command_does(tmp_path: Path) -> None:
    process(tmp_path, page(record()))
    told = {
        name: stand(tmp_path, *(str(w).replace("\0", "") for w in words(tmp_path / "data")))
        for name, words in COMMANDS.items()
    }
    good = {"a source of trust", "the list of trust", "a key file"}
    assert {name for name, done in told.items() if done.returncode == 0} == good
    assert "from " in told["the list of trust"].stdout
    assert_all_safe(tmp_path, *told.values())


def settings() -> Iterator[str]:
    """Give configurations with a hostile value in each setting, and hostile names."""
    from flows.common.config import Config

    defaults = Config().model_dump(mode="json")
    for place in texts(defaults):
        for name in (False, True):
            changed = spoilt(defaults, place, name=name)
            yield json.dumps(changed).replace(r"\ud800", "")
    yield f"arxiv: {{contact: {json.dumps(ANY)}"
    yield f"{ANY}: [\n"
    yield f"a: &{'x' * 10} *{'y' * 10}"


def test_no_setting_does(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from flows.common.config import load_config
    from flows.common.errors import ConfigError

    refused = 0
    for text in settings():
        file = tmp_path / f"config{ANY}.yaml"
        file.write_text(text)
        try:
            load_config(file)
        except ConfigError as error:
            refused += 1
            assert_safe(f"one line: {error}".replace("\n", "\x00"))
    assert refused > 40
    assert capsys.readouterr() == ("", "")
    done = stand(tmp_path, "find", "--config", file)
    assert done.returncode == 2
    assert_all_safe(tmp_path, done)


def test_a_bundle_shown_on_a_terminal_is_not_one_of_bytes(tmp_path: Path) -> None:
    process(tmp_path, page(record(title=f"A title {IN_XML}")))
    words = ["show", "--bundle", "0903.0442", "--data", str(tmp_path / "data")]
    exact = run(tmp_path, *words).stdout
    assert "\u202e" in exact
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(FLOWS.parent)
        os.execv(sys.executable, [sys.executable, "-m", "flows.cli.main", *words])  # noqa: S606
    written = b""
    while chunk := _read(terminal):
        written += chunk
    assert os.waitpid(child, 0)[1] == 0
    shown = written.decode().replace("\r\n", "\n")
    assert_safe(shown)
    assert shown == f"{printable(exact)}\n"


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # Linux's way to say that a terminal has no writer any more
        return b""
