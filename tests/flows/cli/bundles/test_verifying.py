"""The command `verify`: what it reads, the forms in which it answers, its exit statuses."""

import io
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.papers.golden_data import FOLDER, GOLDEN
from support.papers.oai_pages import page, record
from support.papers.snapshot_rows import text
from support.runs.runs import config_in, process

from flows.cli.bundles.inputs import read_sources
from flows.cli.bundles.reports import Form, print_reports
from flows.common.errors import ConfigError
from flows.common.keys import load_key
from transforms.signing import encode_base64

pytestmark = pytest.mark.process

PAPERS = FOLDER / "papers.jsonl"


def golden_file(number: int = 0) -> Path:
    return FOLDER / f"{GOLDEN[number].id}.bundle.json"


def verify(*paths: Path, metadata: Path | None = None, form: Form = Form.LINES,
           trust: str = "pith.science") -> int:  # fmt: skip
    return print_reports(list(paths), trust=[trust], config=None, metadata=metadata, form=form)


def made(folder: Path) -> tuple[Path, str]:
    """Process two papers; return the data folder and the key that signed them."""
    process(folder, page(record(), record("2201.00001")))
    key = load_key(config_in(folder).identity.key_file)
    return folder / "data", encode_base64(key.public_key)


def rewrite(shard: Path, **columns: Any) -> None:
    table = pq.read_table(shard)
    for name, values in columns.items():
        at = table.schema.get_field_index(name)
        table = table.set_column(at, name, pa.array(values, table.schema.types[at]))
    pq.write_table(table, shard)


def test_a_data_folder_is_its_bundle_files_and_its_shards(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, key = made(tmp_path)
    assert verify(data / "tables", data / "bundles", trust=key) == 0
    assert "4 bundles: 4 valid, 4 trusted, 0 unreadable" in capsys.readouterr().out
    (shard,) = (data / "tables" / "bundles").glob("*.parquet")
    assert [found.row for found in read_sources([shard])] == [0, 1]


def test_a_row_that_says_something_else_is_invalid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, key = made(tmp_path)
    (shard,) = (data / "tables" / "bundles").glob("*.parquet")
    rewrite(shard, bundle_sha256=["0" * 64, "1" * 64])
    assert verify(shard, trust=key) == 1
    assert f"columns: the row's bundle_sha256 is not the bundle's  {shard} row 1" in (
        capsys.readouterr().out
    )


def test_parquet_that_is_damaged_or_something_else_is_unreadable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data, key = made(tmp_path)
    (papers,) = (data / "tables" / "papers").glob("*.parquet")
    (shard,) = (data / "tables" / "bundles").glob("*.parquet")
    assert verify(papers, trust=key) == 2
    assert "without a binary column 'bundle'" in capsys.readouterr().out
    with shard.open("r+b") as file:
        file.seek(200)
        file.write(b"\xff" * 400)
    assert verify(shard, trust=key) != 0
    (tmp_path / "x.parquet").write_bytes(b"PAR1 nothing PAR1")
    assert verify(tmp_path / "x.parquet") == 2
    pq.write_table(pa.table({"bundle": pa.array([None], pa.binary())}), tmp_path / "y.parquet")
    assert verify(tmp_path / "y.parquet") == 2
    assert "the row has no bundle" in capsys.readouterr().out


def test_a_folder_without_bundles_is_wrong_use(tmp_path: Path) -> None:
    pq.write_table(pa.table({"n": [1]}), tmp_path / "other.parquet")
    with pytest.raises(ConfigError, match="holds no bundles"):
        verify(tmp_path)


def test_standard_input_is_one_bundle(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.TextIOWrapper(io.BytesIO(GOLDEN[0].data))
    monkeypatch.setattr("sys.stdin", stream)
    assert verify(Path("-")) == 0
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b" " * (9 * 2**20))))
    assert verify(Path("-")) == 2


def test_a_file_of_100_megabytes_is_refused_at_its_beginning(tmp_path: Path) -> None:
    large = tmp_path / "large.json"
    with large.open("wb") as file:
        file.truncate(100 * 2**20)
    (found,) = read_sources([large])
    assert found.data is not None
    assert len(found.data) == 8 * 2**20 + 1
    assert verify(large) == 2


def test_the_worst_decides_the_exit_status(tmp_path: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_bytes(GOLDEN[0].data.replace(b"Gradient", b"gradient", 1))
    nowhere = tmp_path / "nowhere.json"
    assert verify(golden_file()) == 0
    assert verify(golden_file(), nowhere) == 2
    assert verify(golden_file(), nowhere, bad) == 1
    assert verify(golden_file(), trust=encode_base64(b"x" * 32)) == 1


def test_quiet_says_only_what_is_not_good(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert verify(FOLDER, tmp_path / "x", form=Form.QUIET) == 2
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["unreadable", "6"]


def test_verbose_says_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(golden_file(), form=Form.VERBOSE) == 0
    out = capsys.readouterr().out
    assert "    pass             state\n" in out
    assert "    could not check  abstract           the bundle holds only the first 600" in out


def test_json_is_one_object_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(golden_file(), tmp_path / "x", form=Form.JSON) == 2
    good, missing, summary = map(json.loads, capsys.readouterr().out.splitlines())
    assert list(good) == [
        "path", "row", "pith_number", "valid", "trusted", "status", "unreadable", "checks",
        "signers",
    ]  # fmt: skip
    assert (good["status"], good["valid"], good["trusted"]) == ("trusted", True, True)
    assert good["checks"][0] == {"name": "canonical_json", "outcome": "pass", "detail": ""}
    assert (missing["status"], missing["checks"], missing["signers"]) == ("unreadable", [], [])
    (signer,) = good["signers"]
    assert signer["trusted"] == "pith.science, pinned in pith-ingest"
    assert summary == {
        "summary": {
            "bundles": 2, "valid": 1, "trusted": 1, "unreadable": 1, "without_metadata": 0,
        }
    }  # fmt: skip


@pytest.mark.parametrize("form", Form)
def test_no_text_of_a_bundle_reaches_the_terminal_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], form: Form
) -> None:
    bundle = {**GOLDEN[0].bundle, "pith_number": "\x1b[2J\ud800\n" * 100_000}
    bundle["events"] = [{"event_id": "\x1b]0;x\x07" * 1000}]
    (tmp_path / "evil.json").write_text(json.dumps(bundle))
    (tmp_path / "second.json").write_text(json.dumps(bundle).replace("\\ud800", ""))
    assert verify(tmp_path, form=form) == 1
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\x07" not in out
    if form is not Form.JSON:
        assert max(map(len, out.splitlines())) < 1000


def test_metadata_proves_what_the_excerpt_cannot(capsys: pytest.CaptureFixture[str]) -> None:
    assert verify(FOLDER, metadata=PAPERS, form=Form.VERBOSE) == 0
    assert capsys.readouterr().out.count("    pass             metadata\n") == 5


def test_other_metadata_makes_a_bundle_invalid(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changed = tmp_path / "changed.jsonl"
    changed.write_text(PAPERS.read_text().replace("extremely", "slightly"))
    assert verify(golden_file(), metadata=changed) == 1
    out = capsys.readouterr().out
    assert "metadata: abstract_canon_sha256 is not the hash of arXiv's abstract" in out


def test_a_paper_that_is_not_in_the_metadata_could_not_be_checked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other.jsonl"
    other.write_text(PAPERS.read_text().splitlines()[1] + "\nnot JSON\n[]\n{}\n")
    assert verify(golden_file(), metadata=other, form=Form.QUIET) == 2
    said = capsys.readouterr()
    assert f"the metadata has no {GOLDEN[0].id}v1" in said.out
    assert "1 trusted, 0 unreadable, 1 not in the metadata" in said.out
    assert "3 records of" in said.err


@pytest.mark.parametrize(
    "metadata",
    [page(record(), record("2201.00001")), text("0903.0442", "2201.00001")],
    ids=["a reply", "a snapshot"],
)
def test_replies_and_snapshots_are_metadata(tmp_path: Path, metadata: bytes) -> None:
    data, key = made(tmp_path)
    file = tmp_path / "metadata"
    file.write_bytes(metadata)
    assert verify(data / "bundles", metadata=file, trust=key) == 0


@pytest.mark.parametrize("content", [b"", b"\n", b"<a>", b"{}", b"\xff\x00", b"\x1f\x8b\x08"])
def test_metadata_that_cannot_be_used_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "metadata"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match="metadata"):
        verify(golden_file(), metadata=file)
    with pytest.raises(ConfigError, match="nowhere"):
        verify(golden_file(), metadata=tmp_path / "nowhere")
