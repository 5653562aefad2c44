"""Wheel and sdist hold what they should and nothing else; `tests/packages/` installs them."""

import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.paths import ROOT

from flows.common.process.version import commit, release

pytestmark = pytest.mark.process

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAME = f"pith_ingest-{release()}"
WHEEL, SDIST = f"{NAME}-py3-none-any.whl", f"{NAME}.tar.gz"


def build(source: Path, into: Path, *words: str) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(into), *words]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build both from this clone, beside what must not be in them."""
    folder = tmp_path_factory.mktemp("dist")
    build(ROOT, folder)
    return folder


def tracked(*folders: str) -> set[str]:
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", *folders],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(filter(None, listed.stdout.split("\0")))


def test_the_wheel_is_the_two_packages_their_data_the_sample_and_the_commit(built: Path) -> None:
    with zipfile.ZipFile(built / WHEEL) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        assert wheel.read("flows/commit.txt").decode().strip() == commit()
        metadata = wheel.read(f"{NAME}.dist-info/METADATA").decode()
    sample = {name.replace("data/sample/", "flows/sample/") for name in tracked("data/sample")}
    assert names == tracked("flows", "transforms") | sample | {"flows/commit.txt"}
    assert {"flows/py.typed", "transforms/py.typed"} < names
    assert "Classifier: Typing :: Typed" in metadata


def test_the_sdist_builds_the_same_wheel_and_has_nothing_of_anybodys_own(
    built: Path, tmp_path: Path
) -> None:
    with tarfile.open(built / SDIST) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
        sdist.extractall(tmp_path, filter="data")
    files = {name for name in names if (tmp_path / NAME / name).is_file()}
    assert files <= tracked() | {"PKG-INFO", "flows/commit.txt"}
    assert not [name for name in names if name.startswith(("tests/", ".venv/", "dist/"))]
    assert {name for name in files if name.startswith("data/")} == tracked("data/sample")
    build(tmp_path / NAME, tmp_path / "again", "--target", "wheel")
    assert contents(built / WHEEL) == contents(tmp_path / "again" / WHEEL)


def contents(file: Path) -> dict[str, list[bytes]]:
    """Return the lines of every file, sorted: the list of all of them has no order of its own."""
    with zipfile.ZipFile(file) as wheel:
        return {name: sorted(wheel.read(name).splitlines()) for name in wheel.namelist()}


def test_the_page_on_installing_names_every_extra_and_its_packages() -> None:
    table = (ROOT / "docs" / "install.md").read_text().partition("| extra |")[2]
    rows = [row.split(" | ") for row in table.partition("\n\n")[0].splitlines()[2:]]
    said = {
        extra: re.findall(r"`([\w-]+)`", packages)
        for names, _, packages in rows
        for extra in re.findall(r"`(\w+)`", names)
    }
    extras = PROJECT["optional-dependencies"]
    assert said.keys() == extras.keys()
    for extra, packages in said.items():
        if packages:
            assert packages == [re.match(r"[\w-]+", one)[0] for one in extras[extra]], extra  # type: ignore[index]


def pythons() -> Iterator[str]:
    for classifier in PROJECT["classifiers"]:
        if found := re.fullmatch(r"Programming Language :: Python :: (3\.\d+)", classifier):
            yield found[1]


def test_the_oldest_python_that_is_named_is_the_one_that_is_required() -> None:
    assert PROJECT["requires-python"] == f">={next(pythons())}"
