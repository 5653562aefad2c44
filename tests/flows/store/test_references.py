"""`show`, `export` and `rerun` take the same texts, and mean the same records by them."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import mkdtemp

import pytest
from arxiv_server import ArxivServer, make_library
from support.commands.command import assert_one_sentence, run
from support.papers.oai_pages import page, record, version
from support.paths import ROOT
from support.runs import jobs
from support.runs.runs import config_for, config_in, process, rows

from flows.cli.data.show import print_bundle, print_record
from flows.common.errors import ConfigError
from flows.ingest.worker_context import layout_of
from flows.jobs import reissue as reissuing
from flows.store.bundles.export import ExportSelection, export_bundles
from transforms.registry.citation import CitedPaper, bibtex

pytestmark = pytest.mark.process

# Their records as `record` composes them, found among ten million others.
TWINS = {
    "1812.71604": "pith:2009:2QT3DCKSDP5NYC26ADHH3Q4U5V",
    "2006.04138": "pith:2009:2QT3DCKSCN3GFPVDLTFH67M6RR",
}
SHARED_NUMBER = "2QT3DCKS"
PAPER = "0903.0442"


@pytest.fixture
def two_versions(tmp_path: Path) -> tuple[str, str]:
    """Keep two versions of a paper and another paper; return the paper's two numbers."""
    v2 = record(versions=version(1) + version(2), title="Another title")
    process(tmp_path, page(record(), record("math/0410603")))
    process(tmp_path, page(v2))
    found = sorted((r["version"], r["pith_number"]) for r in rows(tmp_path, "bundles")
                   if r["arxiv_id"] == PAPER)  # fmt: skip
    return found[0][1], found[1][1]


def shown(folder: Path, name: str, capsys: pytest.CaptureFixture[str]) -> list[tuple[str, str]]:
    """Return the label and value of each line that `show` prints."""
    print_record(config_in(folder), name)
    return [(line[:15].rstrip(), line[16:]) for line in capsys.readouterr().out.splitlines()]


def exported(folder: Path, name: str) -> set[str]:
    to = Path(mkdtemp(dir=folder))
    export_bundles(layout_of(config_in(folder)), ExportSelection([name]), to)
    return {json.loads(file.read_bytes())["pith_number"] for file in to.rglob("*.json")}


FORMS = [
    PAPER, f"{PAPER}v2", f" arXiv:{PAPER}v2 ", f"arXiv:{PAPER}", f"https://arxiv.org/abs/{PAPER}v2",
    f"https://arxiv.org/pdf/{PAPER}v2.pdf", f"10.48550/arXiv.{PAPER}",
    f"https://doi.org/10.48550/arXiv.{PAPER}", f"oai:arXiv.org:{PAPER}",
    f"arXiv:{PAPER}v2 [cs.LG] 3 Feb 2011", f"<https://arxiv.org/abs/{PAPER}>",
    f"[a paper](https://arxiv.org/abs/{PAPER}v2)", f"@misc{{x, eprint={{{PAPER}}}, year={{2009}}}}",
]  # fmt: skip


def test_show_takes_what_people_paste(
    tmp_path: Path, two_versions: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = two_versions
    suffix = new.split(":")[2]
    numbers = [new, new.lower(), f"pith:{suffix}", suffix, suffix[:8], f"pith:{suffix[:9].lower()}",
               f"https://pith.science/pith/{suffix}"]  # fmt: skip
    for name in [*FORMS, *numbers]:
        lines = shown(tmp_path, name, capsys)
        assert lines[0] == ("Pith Number", new), name
        assert [line for line in lines if "record" in line[0]] == [("older record", f"{old} (v1)")]
        assert new in exported(tmp_path, name)


def test_show_of_an_old_style_link(tmp_path: Path, two_versions: tuple[str, str]) -> None:
    assert two_versions
    data = ["--data", str(tmp_path / "data")]
    done = run(tmp_path, "show", "https://arxiv.org/abs/math.GT/0410603", *data)
    assert (done.returncode, "math/0410603v1" in done.stdout) == (0, True)


def test_a_registrys_own_citation_names_the_record_by_id_and_number(
    tmp_path: Path, two_versions: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    for number, v in zip(two_versions, (1, 2), strict=True):
        paper = CitedPaper(
            arxiv_id=PAPER, version=v, pith_number=number, page="https://x.example/pith/x",
            title="A title", authors=["A. One"], submitted_at=datetime(2009, 3, 3, tzinfo=UTC),
            categories=["cs.LG"],
        )  # fmt: skip
        assert shown(tmp_path, bibtex(paper), capsys)[0] == ("Pith Number", number)
        assert exported(tmp_path, f"{PAPER} ({number})") == {number}
        other = two_versions[v % 2]
        with pytest.raises(ConfigError, match=f"{other} is no record of {PAPER}v{v} in .*; name"):
            print_record(config_in(tmp_path), f"{PAPER}v{v} {other}")
    with pytest.raises(ConfigError, match=f"names {PAPER} and math/0410603; name one paper"):
        print_record(config_in(tmp_path), f"{PAPER}, math/0410603")


def test_show_of_a_version_is_of_that_version(
    tmp_path: Path, two_versions: tuple[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    old, new = two_versions
    for name in (f"{PAPER}v1", f"https://arxiv.org/abs/{PAPER}v1", old):
        lines = shown(tmp_path, name, capsys)
        assert (dict(lines)["Pith Number"], dict(lines)["arXiv"]) == (old, f"{PAPER}v1")
        assert lines[-1] == ("newer record", f"{new} (v2)")
        assert exported(tmp_path, name) == {old}
    with pytest.raises(ConfigError, match=f"of {PAPER} no v7 is kept, but v1, v2$"):
        print_record(config_in(tmp_path), f"{PAPER}v7")
    data = ["--data", str(tmp_path / "data")]
    bundle = run(tmp_path, "show", "--bundle", f"{PAPER}v1", *data)
    assert json.loads(bundle.stdout)["pith_number"] == old


def test_a_short_number_that_two_papers_share_is_neither(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    process(tmp_path, page(*(record(arxiv_id) for arxiv_id in TWINS)))
    config = config_in(tmp_path)
    both = " and ".join(sorted(f"{number} ({i})" for i, number in TWINS.items()))
    message = f"pith:{SHARED_NUMBER} stands for {both}; name one"
    for name in (SHARED_NUMBER, f"pith:{SHARED_NUMBER.lower()}"):
        for refused in (
            lambda name=name: print_record(config, name),
            lambda name=name: print_bundle(config, name),
            lambda name=name: export_bundles(
                layout_of(config), ExportSelection([name]), tmp_path / "out"
            ),
        ):
            with pytest.raises(ConfigError) as caught:
                refused()
            assert str(caught.value) == message
        again = reissuing.reissue(config, [name], job_name="rerun")
        assert again.failures == {f"pith:{SHARED_NUMBER}": message}
    assert not (tmp_path / "out").exists()
    for arxiv_id, number in TWINS.items():
        longer = number.split(":")[2][:9]
        lines = shown(tmp_path, longer, capsys)
        assert lines[0] == ("Pith Number", number)
        assert arxiv_id in dict(lines)["arXiv"]
        assert not any(label.endswith("record") for label, _ in lines)
    data = ["--data", str(tmp_path / "data")]
    done = run(tmp_path, "show", SHARED_NUMBER, *data)
    assert done.returncode == 2
    assert_one_sentence(done, message)


def test_rerun_says_of_a_shared_number_what_show_says(tmp_path: Path) -> None:
    process(tmp_path, page(*(record(arxiv_id) for arxiv_id in TWINS)))
    today = datetime.now(UTC).date()
    with ArxivServer(make_library(5, 3, today - timedelta(2), 3), today=today) as server:
        config = config_for(tmp_path, server)
        known = server.library.works()[0].id
        report = jobs.rerun(config, [SHARED_NUMBER, known])
        assert (report.counts.new_records, report.exit_status) == (1, 1)
        (failure,) = report.failures.values()
    with pytest.raises(ConfigError) as caught:
        print_record(config_in(tmp_path), SHARED_NUMBER)
    assert failure == str(caught.value)


def test_a_receipt_is_issued_again_for_the_record_that_is_named(
    tmp_path: Path, two_versions: tuple[str, str]
) -> None:
    old, new = two_versions
    (tmp_path / "signing.key").rename(tmp_path / "old.key")

    def reissued(*names: str) -> set[str]:
        before = {r["bundle_sha256"] for r in rows(tmp_path, "bundles")}
        reissuing.reissue(config_in(tmp_path), names, job_name="rerun")
        return {r["pith_number"] for r in rows(tmp_path, "bundles")
                if r["bundle_sha256"] not in before}  # fmt: skip

    assert reissued(f"{PAPER}v1", old) == {old}
    assert reissued(f"arXiv:{PAPER}", PAPER) == {new}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("attention", "'attention' is not an arXiv id"),
        ("../../etc/passwd", "is not an arXiv id"),
        ("", "is not an arXiv id"),
        ("https://example.org/abs/0903.0442", "is not an arXiv id"),
        ("1906.10822v3", "nothing is known of 1906.10822 in"),
        ("pith:ABCDEFGH", "nothing is known of pith:ABCDEFGH in"),
        ("pith:2019:ABCDEFGHABCDEFGHABCDEFGHAB", "name the paper by its arXiv id"),
        ("\x1b[31m*?[A-Z]", "is not an arXiv id"),
    ],
)
def test_show_of_anything_else_is_one_sentence(tmp_path: Path, name: str, part: str) -> None:
    process(tmp_path, page(record()))
    with pytest.raises(ConfigError) as caught:
        print_record(config_in(tmp_path), name)
    assert part in str(caught.value)
    assert "\n" not in str(caught.value)
    assert str(caught.value).isprintable()


def test_one_module_reads_what_people_type() -> None:
    modules = [
        path for path in (ROOT / "flows").rglob("*.py") if "parse_reference(" in path.read_text()
    ]
    assert [path.name for path in modules] == ["references.py"]
