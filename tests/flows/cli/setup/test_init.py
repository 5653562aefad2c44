"""`pith-ingest init`: a configuration and a key, asked for or not, whole or not at all."""

import os
import pty
import select
import signal
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from support.hostile.text import ANY, assert_safe, stand
from support.paths import ROOT

from flows.cli.app import app
from flows.cli.setup.answers import Answers, config_text
from flows.cli.setup.questions import collect
from flows.common.config import load_config
from flows.common.errors import ConfigError
from flows.common.keys import load_key

COMMAND = Path(sys.executable).with_name("pith-ingest")
NOTHING_GIVEN: dict[str, str | None] = dict.fromkeys(Answers.__slots__)


def test_the_clones_configuration_is_what_init_writes_without_any_answer() -> None:
    assert config_text(Answers()) == (ROOT / "config.yaml").read_text()


@given(st.text(), st.text(), st.lists(st.text(min_size=1), max_size=3))
def test_whatever_an_answer_holds_it_stays_one_value(
    name: str, contact: str, categories: list[str]
) -> None:
    answers = Answers(resolver_name=name, contact=contact, categories=tuple(categories))
    text = config_text(answers)
    values, defaults = yaml.safe_load(text), yaml.safe_load(config_text(Answers()))
    assert values["identity"].pop("resolver_name") == name
    assert values["arxiv"].pop("contact") == contact
    assert values.pop("categories") == categories
    del defaults["identity"]["resolver_name"], defaults["arxiv"]["contact"], defaults["categories"]
    assert values == defaults
    assert text.count("\n") == config_text(Answers()).count("\n")


INJECTIONS = ['x: # "', "a\nrunner: dask", "yes", "~", "- a", "&a", "*a", "{a: 1}", "2026-01-01"]


@pytest.mark.parametrize("name", INJECTIONS)
def test_yaml_in_an_answer_is_text(tmp_path: Path, name: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(
        config_text(collect(NOTHING_GIVEN | {"resolver_name": name}, interactive=False))
    )
    config = load_config(file)
    assert (config.identity.resolver_name, config.runner) == (name, "local")


TAKEN: dict[str, dict[str, object]] = {
    "contact": {"me@example.org": "mailto:me@example.org", "https://a.example/": "https://a.example/"},
    "categories": {"cs.LG, hep-th": ("cs.LG", "hep-th"), "physics:hep-th": ("physics:hep-th",)},
    "cron": {"5:30": "30 5 * * 1-5", "23:05": "5 23 * * 1-5", "0 4 * * *": "0 4 * * *"},
    "data_dir": {"s3://bucket/pith": "s3://bucket/pith", "~/pith": "~/pith"},
    "timezone": {"Europe/Berlin": "Europe/Berlin"},
}  # fmt: skip


@pytest.mark.parametrize("setting", TAKEN)
def test_an_answer_becomes_a_setting(setting: str) -> None:
    for word, value in TAKEN[setting].items():
        assert (
            getattr(collect(NOTHING_GIVEN | {setting: word}, interactive=False), setting) == value
        )


REFUSED = {
    "base_url": ("https://exämple.org", "--base-url: must be an address such as"),
    "categories": ("CS LG", "--category: must be categories such as cs.LG"),
    "contact": ("a\nb", "--contact: arxiv.contact .* must be plain text"),
    "cron": ("25:30", "--schedule: schedule.cron '25:30': Invalid cron"),
    "data_dir": ("ftp://x", "--data: data_dir is a URL of a kind that is not known"),
    "resolver_name": ("", "--resolver-name: string should have at least 1 character"),
    "signer_id": ("pith.science", "--signer-id: .*whose key this is not"),
    "timezone": ("Mars/Olympus", "--timezone: .*Invalid timezone"),
}


@pytest.mark.parametrize("setting", REFUSED)
def test_a_bad_option_is_refused_by_the_rules_of_the_configuration(setting: str) -> None:
    word, sentence = REFUSED[setting]
    with pytest.raises(ConfigError, match=sentence):
        collect(NOTHING_GIVEN | {setting: word}, interactive=False)


def test_who_signs_suggests_address_and_name_of_the_registry() -> None:
    answers = collect(NOTHING_GIVEN | {"signer_id": "papers.example.org"}, interactive=False)
    assert answers.base_url == "https://papers.example.org"
    assert answers.resolver_name == "papers.example.org Pith resolver"


def talk(folder: Path, answers: Sequence[bytes], *words: str) -> tuple[int, str]:
    """Run `init` on a terminal and type an answer at each question; return status and screen."""
    child, terminal = pty.fork()
    if child == 0:
        os.chdir(folder)
        home = {"HOME": str(folder.parent / "home"), "PATH": os.environ["PATH"], "TERM": "dumb"}
        os.execve(COMMAND, ["pith-ingest", "init", *words], home)  # noqa: S606 - no shell, as meant
    screen, left, typed = b"", list(answers), b""
    while True:
        if not select.select([terminal], [], [], 10)[0] and typed == b"\x03":
            # Python loses a signal that comes just before it waits for a key; a person types again.
            os.write(terminal, typed)
        assert select.select([terminal], [], [], 60)[0], screen
        try:
            read = os.read(terminal, 4096)
        except OSError:  # so Linux tells that nobody has the other end any more
            break
        screen += read
        if left and screen.endswith((b"]: ", b"[Y/n]: ")):
            typed = left.pop(0)
            os.write(terminal, typed)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), screen.decode()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return an empty folder, beside an empty home."""
    (tmp_path / "home").mkdir()
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


def below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


@pytest.mark.process
def test_it_asks_on_a_terminal_and_asks_again_what_cannot_be_used(folder: Path) -> None:
    lines = b'kept|me@example.org|papers.example.org|ftp:x||x: # "|CS LG|cs.LG|04:15||y'
    status, screen = talk(folder, [line + b"\r" for line in lines.split(b"|")])
    assert status == 0, screen
    assert "must be a URL such as https://example.org" in screen
    assert "must be categories such as cs.LG" in screen
    config = load_config(folder / "config.yaml")
    assert config.arxiv.contact == "mailto:me@example.org"
    assert config.identity.base_url == "https://papers.example.org"
    assert config.identity.resolver_name == 'x: # "'
    assert (config.categories, config.schedule.cron) == (["cs.LG"], "15 4 * * 1-5")
    assert config.data_dir == folder / "kept"
    key = folder.parent / "home" / ".config" / "pith-ingest" / "signing.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert load_key(key).public_key
    assert below(folder) == {"config.yaml"}


@pytest.mark.process
@pytest.mark.parametrize(
    ("answers", "status", "said"),
    [
        ([b"\r", b"\x03"], 128 + signal.SIGINT, "stopped by Ctrl-C; nothing was written"),
        ([b"\r", b"\x04"], 1, "nothing was written"),
        ([b"\r"] * 8 + [b"n\r"], 1, "nothing was written"),
        ([b"\r"] * 8 + [b"\x03"], 128 + signal.SIGINT, "nothing was written"),
    ],
    ids=["Ctrl-C", "Ctrl-D", "no", "Ctrl-C at the end"],
)
def test_who_stops_it_has_nothing_half(
    folder: Path, answers: list[bytes], status: int, said: str
) -> None:
    ended, screen = talk(folder, answers)
    assert ended == status, screen
    assert said in screen.splitlines()[-1]
    assert below(folder) | below(folder.parent / "home") == set()


@pytest.mark.process
def test_without_a_terminal_it_asks_nothing_and_never_replaces_anything(folder: Path) -> None:
    first = stand(folder, "init", "new", "--sample", "--category", "cs.LG", "--category", "hep-th")
    assert (first.returncode, first.stderr) == (0, "")
    assert below(folder) == {"new/config.yaml", "new/sample/oai-page.xml", "new/sample/README.md"}
    written = (folder / "new" / "config.yaml").read_text()
    assert "categories: [cs.LG, hep-th]" in written
    again = stand(folder, "init", "new", "--category", "math.CO")
    assert (again.returncode, again.stderr.count("\n")) == (2, 1)
    assert "'init' never replaces: edit it, or name another folder" in again.stderr
    assert (folder / "new" / "config.yaml").read_text() == written
    other = stand(folder, "init", "other", "--yes")
    assert "kept the signing key, fingerprint" in other.stdout
    made = [line.split()[-1] for line in (first.stdout + other.stdout).splitlines()
            if "fingerprint" in line]  # fmt: skip
    assert len(made) == 2
    assert made[0] == made[1]


@pytest.mark.process
def test_of_two_that_begin_at_once_one_writes(folder: Path) -> None:
    command = [str(COMMAND), "init", "--yes", "--category"]
    place = {"HOME": str(folder.parent / "home"), "PATH": os.environ["PATH"]}
    both = {
        name: subprocess.Popen([*command, name], cwd=folder, env=place, stderr=subprocess.PIPE)
        for name in ("cs.LG", "cs.CL")
    }
    said = {name: (one.communicate()[1], one.returncode) for name, one in both.items()}
    (won,) = [name for name, (_, status) in said.items() if status == 0]
    (lost,) = [words for words, status in said.values() if status == 2]
    assert b"never replaces" in lost
    assert f"categories: [{won}]" in (folder / "config.yaml").read_text()
    assert below(folder) == {"config.yaml"}


@pytest.mark.process
def test_what_it_cannot_write_is_one_sentence(folder: Path) -> None:
    (folder / "file").touch()
    (folder / "dangling").mkdir()
    (folder / "dangling" / "config.yaml").symlink_to("nowhere")
    (folder / "link").symlink_to("nowhere")
    said = {"file": "is no folder", "link": "is no folder", "dangling": "never replaces",
            "file/below": "cannot write file/below: Not a directory"}  # fmt: skip
    for word, sentence in said.items():
        done = stand(folder, "init", word)
        assert (done.returncode, done.stderr.count("\n")) == (2, 1)
        assert sentence in done.stderr
    hostile = stand(folder, "init", "--resolver-name", ANY, "new")
    assert hostile.returncode == 0
    assert_safe(hostile.stdout)
    assert load_config(folder / "new" / "config.yaml").identity.resolver_name == ANY


@pytest.mark.process
def test_the_commands_that_it_names_next_are_there(folder: Path) -> None:
    done = stand(folder, "init", "a folder", "--sample")
    said = done.stdout.partition("Next:\n")[2].splitlines()
    assert said[0] == "  cd 'a folder'"
    named = {line.split()[1] for line in said if line.startswith("  pith-ingest ")}
    known = {command.name or command.callback.__name__ for command in app.registered_commands
             if command.callback}  # fmt: skip
    assert {"backfill", "nightly", "find", "up"} == named
    assert named <= known
    swept = stand(folder / "a folder", *said[1].split()[1:])
    assert (swept.returncode, "9 new records" in swept.stdout) == (1, True), swept.stderr
    assert f"data folder: {folder / 'a folder' / 'data'}" in swept.stderr
