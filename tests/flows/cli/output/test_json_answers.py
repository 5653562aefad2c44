"""Every command that answers says it as one JSON document too, and nothing else is there."""

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from support.bundles.forging import AT, GOOD, PAPER
from support.bundles.signed_events import ISSUER
from support.commands.inside import inside
from support.commands.terminal import ESCAPE, on_terminal, without_style
from support.hostile.text import ANY, assert_safe
from support.papers.golden_data import FOLDER, GOLDEN
from support.papers.oai_pages import page, record
from support.paths import ROOT
from support.registry.file_server import serve_files
from support.runs.runs import process
from typer.core import TyperGroup
from typer.main import get_command

from flows.cli.app import app
from flows.cli.bundles.merge import ContradictingEvents, OthersKey, WrittenBundle
from flows.cli.data.export import ExportedBundles
from flows.cli.data.find import FoundPaper, FoundPapers
from flows.cli.data.rebuild_catalog import RebuiltCatalog
from flows.cli.data.show import OtherRecord, ShownRecord
from flows.cli.keys.keygen import MadeKey
from flows.cli.keys.trust import AddedKey, RemovedKey, TrustedKey, TrustedKeys
from flows.cli.registry.mirror import MirroredRegistry
from flows.cli.registry.publish import PublishedRecords
from flows.common.keys import create_key
from transforms.bundle.build import bundle_bytes, draft
from transforms.bundle.later_events import append_snapshot
from transforms.signing import encode_base64, fingerprint

pytestmark = pytest.mark.process

KEY = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
PRINT = "21fe31dfa154a261626bf854046fd227"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a home of its own to what this process reads and writes there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("flows.cli.keys.trusted_keys.TRUST_FILE", tmp_path / "trusted.json")
    return tmp_path


def answered(*words: object, **env: str) -> Any:
    """Return the one document that a command prints with `--json`, on a terminal too."""
    told = inside(*words, "--json", width=80, env=env)
    assert told.status == 0, told.err
    assert ESCAPE not in told.out
    assert told.out.isascii()
    return json.loads(told.out)


WITHOUT = {
    "backfill", "nightly", "rerun", "status", "doctor", "serve", "registry serve", "up", "init",
    "report",
}  # fmt: skip
"""Commands of which other tests show what they answer, or that serve until they are stopped."""


def test_each_command_that_answers_has_the_option() -> None:
    def without(command: object, name: str) -> set[str]:
        assert isinstance(command, TyperGroup)
        found = set()
        for sub, each in command.commands.items():
            if isinstance(each, TyperGroup):
                found |= without(each, f"{sub} ")
            elif not any("--json" in param.opts for param in each.params):
                found.add(f"{name}{sub}")
        return found

    assert without(get_command(app), "") <= WITHOUT


DOCUMENTS = {
    "find": (FoundPapers, FoundPaper),
    "show": (ShownRecord, OtherRecord),
    "export": (ExportedBundles,),
    "rebuild-catalog": (RebuiltCatalog,),
    "merge": (WrittenBundle, OthersKey, ContradictingEvents),
    "keygen": (MadeKey,),
    "trust list": (TrustedKeys, TrustedKey),
    "trust add": (AddedKey,),
    "trust remove": (RemovedKey,),
    "registry publish": (PublishedRecords,),
    "registry mirror": (MirroredRegistry,),
}


def test_the_documentation_has_every_key_of_every_document() -> None:
    page = (ROOT / "docs" / "data.md").read_text().partition("### As JSON")[2]
    said = {
        row[0]: re.findall(r"`(\w+)`", row[1])
        for row in re.findall(r"^\| `([a-z -]+)` \| (.*) \|$", page, re.MULTILINE)
    }
    assert {name: sorted(set(keys)) for name, keys in said.items()} == {
        name: sorted({field.name for one in documents for field in fields(one)})
        for name, documents in DOCUMENTS.items()
    }


def test_export_and_rebuild_catalog_count(tmp_path: Path) -> None:
    process(tmp_path, page(record(), record("2201.00001")))
    data, to = tmp_path / "data", tmp_path / "out"
    words = ["export", "--all", "--data", data, "--to", to]
    assert answered(*words) == {"to": str(to), "written": 2, "unchanged": 0}
    days = ["--issued-from", "7d", "--issued-until", "today"]
    assert answered("export", *days, "--data", data, "--to", to)["unchanged"] == 2
    none = inside("export", "--issued-until", "8d", "--data", data, "--to", to)
    assert (none.status, none.out) == (2, "")
    assert answered("rebuild-catalog", "--data", data) == {"records": 2, "shards": 2}


def test_a_day_that_is_none_is_refused_in_a_sentence(tmp_path: Path) -> None:
    import typer

    for text in ("31 Nov", ANY, "x" * 10_000):
        with pytest.raises(typer.BadParameter, match="is no day; give one such as") as refused:
            inside("export", "--issued-from", text, "--data", tmp_path)
        assert len(refused.value.format_message()) < 250


def test_keygen_and_trust_tell_what_everybody_may_know(home: Path) -> None:
    file = home / "one.key"
    made = answered("keygen", file)
    assert made.keys() == {"file", "fingerprint", "public_key"}
    assert file.read_text().strip() not in str(made)
    added = answered("trust", "add", KEY, "--from", ANY)
    assert added["is_new"] is True
    assert added["key"]["fingerprint"] == PRINT
    assert added["key"]["reason"].endswith(f"from {ANY}")
    assert answered("trust", "add", KEY)["is_new"] is False
    empty = home / "config.yaml"
    empty.write_text(f"identity: {{key_file: {file}}}\n")
    keys = answered("trust", "list", "--config", empty)["keys"]
    assert {made["fingerprint"], PRINT} < {key["fingerprint"] for key in keys}
    assert made["public_key"] in {key["public_key"] for key in keys}
    assert answered("trust", "remove", PRINT[:8]) == {"key": added["key"]}
    assert len(answered("trust", "list", "--config", empty)["keys"]) == 2


def test_merge_names_what_to_look_at(home: Path) -> None:
    key = create_key(home / "signing.key")
    files = [home / "1.json", home / "2.json"]
    for n, file in enumerate(files, 1):
        copied = append_snapshot(GOOD, draft(PAPER), issuer=ISSUER, moment=AT.replace(second=n))
        file.write_bytes(bundle_bytes(copied))
    output, config = home / "merged.json", home / "own.yaml"
    config.write_text(f"identity: {{key_file: {home / 'signing.key'}}}\n")
    words = ["merge", *files, "--output", output, "--config", config]
    merged = answered(*words)
    assert (merged["output"], merged["pith_number"]) == (str(output), GOOD["pith_number"])
    (other,) = merged["signed_by_others"]
    assert (other["fingerprint"], other["events"]) == (ISSUER.fingerprint, 4)
    (contradicting,) = merged["equivocations"]
    assert len(contradicting["event_ids"]) == 2
    assert fingerprint(key.public_key) not in str(merged)


def test_publish_and_mirror_count_and_name_what_was_refused(home: Path) -> None:
    process(home, page(record(), record("2201.00001")))
    site, copy = home / "site", home / "copy"
    words = ["registry", "publish", "--data", home / "data", "--to", site]
    own = {"PITH_IDENTITY__BASE_URL": "https://registry.example"}
    first, again = answered(*words, **own), answered(*words, **own)
    assert (first["records"], first["changed"], first["layout"]) == (2, 2, "files")
    assert first["files"] > 10 < first["bytes"]
    assert (again["changed"], again["files"], again["list"]) == (0, 0, first["list"])
    with serve_files(site) as served:
        url = served.url
        words = ["registry", "mirror", url, "--to", copy, "--pace", "0", "--data", home / "none"]
        assert answered(*words) == {
            "url": url, "to": str(copy), "kept": 2, "unchanged": 0, "gone": 0, "damaged": [],
            "refused": [], "differing": [],
        }  # fmt: skip


@pytest.mark.parametrize("width", [40, 80, 200])
def test_verify_is_coloured_on_a_terminal_and_says_the_same_in_a_pipe(
    tmp_path: Path, width: int
) -> None:
    good, bad, torn = (tmp_path / f"{name}.json" for name in ("good", "bad", "torn"))
    good.write_bytes(GOLDEN[0].data)
    bad.write_bytes(GOLDEN[0].data.replace(b"Gradient", b"gradient", 1))
    torn.write_bytes(b"{")
    evil = tmp_path / f"{ANY}.json"
    evil.write_bytes(b"{")
    words = ["verify", "--trust", "pith.science", good, bad, torn, evil]
    shown, piped = inside(*words, width=width), inside(*words)
    assert (shown.status, piped.status) == (1, 1)
    assert ESCAPE not in piped.out
    assert_safe(without_style(shown.out).replace("\n  ", ""))
    assert "".join(without_style(shown.out).split()) == "".join(piped.out.split())
    colours = {"valid, trusted": "32", "INVALID": "31", "unreadable": "33", "4 bundles": "31"}
    for word, colour in colours.items():
        assert f"\x1b[{colour}m{word}" in shown.out
    assert max(map(len, without_style(shown.out).splitlines())) <= width
    verbose = inside("verify", "--verbose", *words[1:], width=width).out
    assert "\x1b[31m    fail" in verbose


def test_verify_on_a_real_terminal_without_colour_has_no_escape_sequence(tmp_path: Path) -> None:
    golden = FOLDER / f"{GOLDEN[0].id}.bundle.json"
    status, text = on_terminal(tmp_path, "verify", golden, width=80, env={"NO_COLOR": "1"})
    assert (status, ESCAPE in text) == (0, False)
    assert "valid, trusted      pith:" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_the_list_of_trust_fits(home: Path, width: int) -> None:
    inside("trust", "add", KEY, "--from", f"https://registry.example/key.json {ANY}")
    config = home / "c.yaml"
    config.write_text(f"identity: {{key_file: {home / 'none.key'}}}\n")
    words = ["trust", "list", "--config", config]
    text = without_style(inside(*words, width=width).out)
    assert_safe(text.replace("\n  ", ""))
    assert max(map(len, text.splitlines())) <= width
    whole = text if width > 46 else text.replace("\n  ", "")
    assert (PRINT in whole, KEY in whole) == (True, True)
    (line,) = [line for line in inside(*words).out.splitlines() if line.startswith(PRINT)]
    assert line.startswith(f"{PRINT}  {KEY}  added 20")
    assert encode_base64(b"\0" * 32) not in text
