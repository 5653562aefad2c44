"""The command `merge`: one bundle of copies, or a sentence on why not."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from support.bundles.forging import AT, GOOD, PAPER, Bundle
from support.bundles.signed_events import ISSUER
from support.commands.command import assert_one_sentence, run
from support.papers.golden_data import FOLDER, GOLDEN

from flows.common.keys import create_key
from transforms import Issuer, IssueTimes, build_bundle, bundle_bytes
from transforms.bundle.build import draft
from transforms.bundle.later_events import append_snapshot
from transforms.encoding.digest import sha256
from transforms.signing import Ed25519Signer
from transforms.verify.verify import verify_bundle

pytestmark = pytest.mark.process

NUMBER = GOOD["pith_number"]


def write(file: Path, bundle: Bundle) -> Path:
    file.write_bytes(bundle_bytes(bundle))
    return file


def test_it_shows_equivocations_and_replaces_nothing(tmp_path: Path) -> None:
    create_key(tmp_path / "signing.key")
    files = [
        write(tmp_path / f"{n}.json", append_snapshot(GOOD, draft(PAPER), issuer=ISSUER, moment=at))
        for n, at in enumerate([AT + timedelta(seconds=1), AT + timedelta(seconds=2)])
    ]
    output = tmp_path / "merged.json"
    done = run(tmp_path, "merge", *files, "--output", output)
    assert (done.returncode, done.stdout.count("EQUIVOCATION by issuer.example")) == (0, 1)
    assert "4 of them signed by a key that is not yours: issuer-key" in done.stdout
    assert verify_bundle(output.read_bytes(), []).valid
    again = run(tmp_path, "merge", files[0], "--output", output)
    assert again.returncode == 2
    assert_one_sentence(again, "File exists")
    spoilt = tmp_path / "spoilt.json"
    spoilt.write_bytes(files[0].read_bytes().replace(b"GoSGD", b"goSGD"))
    refused = run(tmp_path, "merge", spoilt, "--output", tmp_path / "x.json")
    assert_one_sentence(refused, "is not a valid bundle: events")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "0.json", "1.json", "merged.json", "signing.key", "spoilt.json",
    ]  # fmt: skip


def test_it_makes_no_key(tmp_path: Path) -> None:
    file = write(tmp_path / "a.json", GOOD)
    for copy in (file, tmp_path / "missing.json"):
        done = run(tmp_path, "merge", copy, "--output", tmp_path / "b.json")
        assert done.returncode == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_published_bundle_and_our_own_of_one_paper_stay_two(tmp_path: Path) -> None:
    create_key(tmp_path / "signing.key")
    golden = next(g for g in GOLDEN if g.metadata["pith_number"] == NUMBER)
    published = FOLDER / f"{golden.id}.bundle.json"
    own = write(tmp_path / "own.json", GOOD)
    output = tmp_path / "merged.json"
    done = run(tmp_path, "merge", published, own, "--output", output)
    assert done.returncode == 2
    assert_one_sentence(done, "computed first at", "pith.science", "keep both")
    assert not output.exists()


def test_no_text_of_a_bundle_reaches_the_terminal_as_it_is(tmp_path: Path) -> None:
    create_key(tmp_path / "signing.key")
    evil = replace(
        ISSUER.identity, signer_id="\x1b[2J\nEQUIVOCATION by you\u202e\x9b", key_id="\x1b[31mk"
    )
    issuer = Issuer(evil, Ed25519Signer(sha256(b"evil")))
    bundle = build_bundle(PAPER, issuer=issuer, times=IssueTimes.at(AT))
    files = [
        write(
            tmp_path / f"{n}.json", append_snapshot(bundle, draft(PAPER), issuer=issuer, moment=at)
        )
        for n, at in enumerate([AT + timedelta(seconds=1), AT + timedelta(seconds=2)])
    ]
    done = run(tmp_path, "merge", *files, "--output", tmp_path / "merged.json")
    assert done.returncode == 0, done.stderr
    own = write(tmp_path / "own.json", GOOD)
    refused = run(tmp_path, "merge", own, files[0], "--output", tmp_path / "x.json")
    for text in (done.stdout, done.stderr, refused.stderr):
        assert all(character.isprintable() or character == "\n" for character in text)
    assert done.stdout.count("\nEQUIVOCATION") == 1
    assert refused.stderr.count("\n") <= 1
