"""Install the wheel in `dist/` into bare environments, and take a new user's first steps in each.

`python tests/packages/install.py newest` does so once, with the newest versions of all libraries
that the wheel allows, on the newest Python there is; `all` with pip, pipx and uv, each on the
oldest and the newest. What is installed comes from the wheel and an index, never from the clone;
home, working folder and environment are empty.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
NAMED = [line.rpartition(" ")[2] for line in PROJECT["classifiers"] if ":: Python :: 3." in line]
SUPPORTED = [tuple(map(int, version.split("."))) for version in NAMED]
TELL = "import sys; print(*sys.version_info[:2])"
IMPORT_ALL = """
import importlib, pkgutil, flows, transforms
left = ("flows.ingest.executors.dask", "flows.store.files.objects")  # of extras
for package in (flows, transforms):
    assert "site-packages" in package.__file__, package.__file__
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if not module.name.startswith(left):
            importlib.import_module(module.name)
"""

Install = Callable[[Path, str, Path], Path]
"""Installs a wheel with a Python below a folder; returns where `pith-ingest` is."""


def run(*words: str | Path, cwd: Path, env: Mapping[str, str], status: int = 0) -> str:
    """Run a command and return what it printed; exits where its status is another."""
    done = subprocess.run(
        list(map(str, words)), cwd=cwd, env=env, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600, check=False,
    )  # fmt: skip
    if done.returncode != status:
        sys.exit(f"{' '.join(map(str, words))}: status {done.returncode}\n{done.stdout}")
    return done.stdout


def tool(*words: str | Path, cwd: Path, **env: str) -> None:
    """Run an installer, which may have the settings of its user, such as an index and proxies."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # uv trusts its own list of certificates otherwise, pip the machine's.
    run(*words, cwd=cwd, env={"UV_SYSTEM_CERTS": "true"} | own | env)


@cache
def pythons() -> dict[tuple[int, ...], str]:
    """Return the Pythons on the PATH and of pyenv that are supported, by their versions."""
    folders = map(Path, os.environ["PATH"].split(os.pathsep))
    found = [file for folder in folders for file in folder.glob("python3*")]
    found += Path.home().glob(".pyenv/versions/*/bin/python3")
    versions: dict[tuple[int, ...], str] = {}
    for file in found:
        if re.fullmatch(r"python3(\.\d+)?", file.name):
            told = subprocess.run([file, "-c", TELL], capture_output=True, text=True, check=False)
            version = tuple(map(int, told.stdout.split()))
            if told.returncode == 0 and version in SUPPORTED:
                versions.setdefault(version, str(file))
    return dict(sorted(versions.items()))


def with_pip(wheel: Path, python: str, folder: Path) -> Path:
    tool(python, "-m", "venv", folder / "env", cwd=folder)
    tool(folder / "env" / "bin" / "python", "-m", "pip", "install", "-q", wheel, cwd=folder)
    return folder / "env" / "bin" / "pith-ingest"


def with_uv(wheel: Path, python: str, folder: Path) -> Path:
    """Install with every library in its newest version, as resolvers do that know of no lock."""
    tool(uv(), "venv", "-q", "--python", python, folder / "env", cwd=folder)
    place = folder / "env" / "bin" / "python"
    tool(uv(), "pip", "install", "-q", "--upgrade", "--python", place, wheel, cwd=folder)
    return folder / "env" / "bin" / "pith-ingest"


def with_uv_tool(wheel: Path, python: str, folder: Path) -> Path:
    places = {"UV_TOOL_DIR": str(folder / "tools"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
    tool(uv(), "tool", "install", "-q", "--python", python, wheel, cwd=folder, **places)
    return folder / "bin" / "pith-ingest"


def with_pipx(wheel: Path, python: str, folder: Path) -> Path:
    places = {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / "bin")}
    tool(installer("pipx"), "install", "-q", "--python", python, wheel, cwd=folder, **places)
    return folder / "bin" / "pith-ingest"


def uv() -> Path:
    return installer("uv")


def installer(name: str) -> Path:
    """Return an installer, put into an environment of its own when it is wanted first."""
    place = INSTALLERS / "bin"
    if not (place / name).exists():
        if not place.exists():
            # A pip of its own would take longer than all that it installs.
            tool(sys.executable, "-m", "venv", "--without-pip", INSTALLERS, cwd=INSTALLERS.parent)
        pip = (sys.executable, "-m", "pip", "--python", place / "python")
        tool(*pip, "install", "-q", name, cwd=INSTALLERS.parent)
    return place / name


def first_steps(command: Path, folder: Path) -> None:
    """Do what a new user does, and look at what is where afterwards."""
    home, here = folder / "home", folder / "here"
    home.mkdir()
    here.mkdir()
    bare = {"HOME": str(home), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}

    def pith(*words: str, cwd: Path = here, status: int = 0) -> str:
        return run(command, *words, cwd=cwd, env=bare, status=status)

    version = pith("--version")
    assert re.match(r"pith-ingest \d+\.\d+\.\d+ \(commit [0-9a-f]{12}", version), version
    assert "'pith-ingest init'" in pith("find", status=2)
    assert not [*here.iterdir(), *home.iterdir()]
    pith("init", "--yes", "--sample", "mine")
    mine = here / "mine"
    assert "9 new records" in pith("backfill", "--raw", "sample", cwd=mine, status=1)
    assert "9 valid, 9 trusted" in pith("verify", "data/bundles", cwd=mine)
    assert "pith:2019:JUV2VY" in pith("find", cwd=mine)
    assert "1906.10822" in pith("show", "1906.10822", cwd=mine)
    pith("registry", "publish", "--to", "site", cwd=mine)
    assert (mine / "site" / "index.html").exists()
    assert {path.name for path in here.iterdir()} == {"mine"}
    assert {path.name for path in mine.iterdir()} == {"config.yaml", "sample", "data", "site"}
    files = {str(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    assert files == {".config/pith-ingest/signing.key"}, files
    run(command.resolve().with_name("python"), "-P", "-c", IMPORT_ALL, cwd=here, env=bare)


@contextmanager
def timed(what: str) -> Iterator[None]:
    begun = time.monotonic()
    yield
    print(f"ok  {what}, {time.monotonic() - begun:.0f} s", flush=True)


def main(forms: dict[str, Install], versions: list[tuple[int, ...]]) -> None:
    (wheel,) = (ROOT / "dist").glob("*.whl")
    for version in dict.fromkeys(versions):
        for name, install in forms.items():
            with (
                timed(f"{name}, Python {version[0]}.{version[1]}"),
                tempfile.TemporaryDirectory() as folder,
            ):
                first_steps(install(wheel, pythons()[version], Path(folder)), Path(folder))


if __name__ == "__main__":
    there = list(pythons())
    with tempfile.TemporaryDirectory() as made:
        INSTALLERS = Path(made, "installers")
        if sys.argv[1:] == ["newest"]:
            main({"newest libraries": with_uv}, there[-1:])
        elif sys.argv[1:] == ["all"]:
            forms: dict[str, Install] = {
                "pip": with_pip, "pipx": with_pipx, "uv tool": with_uv_tool,
            }  # fmt: skip
            main(forms, [there[0], there[-1]])
        else:
            sys.exit(f"usage: {sys.argv[0]} newest|all")
