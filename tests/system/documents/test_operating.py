"""The files of docs/operate/ do what docs/operate.md says, as far as this machine can tell."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import yaml
from support.paths import ROOT
from typer.core import TyperGroup
from typer.main import get_command

from flows.cli.app import app
from flows.orchestration.up.health import Addresses, Health
from flows.orchestration.up.interrupted import Interrupted
from flows.orchestration.up.parts import NAMES, STOP_ORDER, Place, make_parts
from flows.store.layout import Layout

FOLDER = ROOT / "docs" / "operate"
PAGE = (ROOT / "docs" / "operate.md").read_text()
UNIT = FOLDER / "pith-ingest.service"
CONTAINERFILE = (FOLDER / "Containerfile").read_text()
SERVICE = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]["pith-ingest"]


def settings(text: str) -> dict[str, str]:
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


def json_words(instruction: str) -> list[str]:
    found = re.search(rf"^{instruction} (\[.*\])$", CONTAINERFILE, re.MULTILINE)
    assert found
    return cast("list[str]", yaml.safe_load(found[1]))


def commands() -> list[list[str]]:
    """Return all commands of pith-ingest that the files and the page have, without its name."""
    check = re.search(r"^HEALTHCHECK .* CMD (\[.*\])$", CONTAINERFILE, re.MULTILINE)
    assert check
    blocks = re.findall(r"^```(?:sh|text)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    lines = [line for block in blocks for line in block.splitlines()]
    typed = [shlex.split(line, comments=True) for line in lines if line.startswith("pith-ingest ")]
    whole = [*typed, yaml.safe_load(check[1]), SERVICE["healthcheck"]["test"][1:]]
    run = shlex.split(settings(UNIT.read_text())["ExecStart"])
    return [*(words[1:] for words in (*whole, run)), json_words("CMD"), SERVICE["command"]]


def parse(words: list[str]) -> Any:
    """Parse the words of a command as the command line does; raises where they are wrong."""
    name, *options = words
    group = cast("TyperGroup", get_command(app))
    return group.commands[name].make_context(name, options).params


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_is_one_of_the_command_line(words: list[str]) -> None:
    assert {"config", "folder"} & parse(words).keys()


def test_the_commands_of_page_and_files_are_found() -> None:
    starts = [words for words in commands() if words[0] == "up" and "--check" not in words]
    assert len(starts) == 4
    assert json_words("ENTRYPOINT") == ["pith-ingest"]


def parts() -> dict[str, float]:
    at, client = Addresses("127.0.0.1", 1, "127.0.0.1", 2), httpx.AsyncClient()
    made = make_parts(
        Place(Path("/x"), at), Health(client, at), Interrupted(client, at.api, Layout(Path("/x")))
    )
    return {part.name: part.stop_seconds for part in made}


def test_who_stops_it_waits_as_long_as_its_parts_may_take() -> None:
    stopping = parts()
    assert set(stopping) == set(NAMES) == set(STOP_ORDER)
    assert sum(stopping.values()) < int(settings(UNIT.read_text())["TimeoutStopSec"])
    minutes = re.fullmatch(r"(\d+)m", SERVICE["stop_grace_period"])
    assert minutes
    assert timedelta(seconds=sum(stopping.values())) < timedelta(minutes=int(minutes[1]))
    assert settings(UNIT.read_text())["KillMode"] == "mixed"


def test_the_ports_are_those_of_the_command() -> None:
    known = parse(["up"])
    ports = {known["port"], known["prefect_port"]}
    (exposed,) = re.findall(r"^EXPOSE (.*)$", CONTAINERFILE, re.MULTILINE)
    assert {int(port) for port in exposed.split()} == ports
    assert {tuple(port.split(":")) for port in SERVICE["ports"]} == {
        ("127.0.0.1", str(port), str(port)) for port in ports
    }
    assert all(f":{port}" in PAGE for port in ports)


def test_the_container_may_do_no_more_than_it_must() -> None:
    assert SERVICE["read_only"] is True
    assert SERVICE["cap_drop"] == ["ALL"]
    assert re.search(r"^USER \d+$", CONTAINERFILE, re.MULTILINE)
    copied = re.findall(r"^COPY (?!--from)(.*) /src/\S*$", CONTAINERFILE, re.MULTILINE)
    assert [name for line in copied for name in line.split() if not (ROOT / name).exists()] == []


@pytest.mark.process
def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze on this machine: the unit was not verified")
    program = Path(sys.executable).with_name("pith-ingest")
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/pith-ingest/bin/pith-ingest", str(program)))
    done = subprocess.run(
        [analyze, "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    unit.write_text(unit.read_text().replace("KillMode=mixed", "KillMode=gentle"))
    wrong = subprocess.run(
        [analyze, "verify", str(unit)], capture_output=True, text=True, timeout=60, check=False
    )
    assert "Failed to parse kill mode" in wrong.stderr


@pytest.mark.process
def test_the_image_builds_and_its_program_starts(tmp_path: Path) -> None:
    """Build where a builder and a base image are named: it takes minutes and the network."""
    builder, base = shutil.which("buildah") or shutil.which("podman"), os.environ.get("PITH_BASE")
    if builder is None or base is None or not os.environ.get("FULL"):
        pytest.skip("the image was not built: FULL=1, a PITH_BASE=<image> and buildah or podman do")
    name = f"localhost/pith-ingest-test-{os.getpid()}"
    file = str(FOLDER / "Containerfile")
    words = [builder, "build", "--build-arg", f"BASE={base}", "-f", file, "-t", name, str(ROOT)]
    try:
        subprocess.run(words, check=True, timeout=1200)
        made = [builder, "from", name] if builder.endswith("buildah") else [builder, "create", name]
        container = subprocess.run(made, check=True, capture_output=True, text=True).stdout.strip()
        start = ["run", container, "--", "pith-ingest", "--version"]
        done = subprocess.run([builder, *start], check=True, capture_output=True, text=True)
        assert done.stdout.startswith("pith-ingest ")
        subprocess.run([builder, "rm", container], check=True, cwd=tmp_path)
    finally:
        subprocess.run([builder, "rmi", "--force", name], check=False)
