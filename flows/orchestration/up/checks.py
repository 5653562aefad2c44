"""What is looked at before anything is started: each problem is one sentence."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path

from flows.common.errors import ConfigError, StoreError
from flows.common.http.listening import listen
from flows.orchestration.up.health import Addresses
from flows.orchestration.up.parts import DATABASE

_REVISION = re.compile(r"""^revision = ["'](\w+)["']""", re.MULTILINE)
_DOWN = re.compile(r"""^down_revision = ["'](\w+)["']""", re.MULTILINE)


def find_prefect() -> Path:
    """Return the folder of the installed Prefect; raises `ConfigError` where there is none."""
    try:
        spec = find_spec("prefect")
    except (ImportError, ValueError):
        spec = None
    if spec is None or not spec.submodule_search_locations:
        raise ConfigError(
            "Prefect is not installed in this environment: install pith-ingest again as "
            "docs/install.md says"
        )
    return Path(next(iter(spec.submodule_search_locations)))


def make_folder(folder: Path) -> None:
    """Make Prefect's folder, for its user alone, and try to write there; raises `StoreError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
        if (database := folder / DATABASE).exists():
            database.open("r+b").close()
    except OSError as error:
        raise StoreError(
            f"cannot write to {error.filename or folder} ({error.strerror}): give the folder to "
            "the user who runs 'up', or name another one with --data"
        ) from None


def check_ports(at: Addresses) -> None:
    """Raise `ConfigError`, naming port and option, where a port cannot be listened on."""
    if at.port == at.prefect_port:
        raise ConfigError(f"--port and --prefect-port are both {at.port}: name two ports")
    listen(at.prefect_host, at.prefect_port, options=("--prefect-host", "--prefect-port")).close()
    listen(at.host, at.port).close()


def check_database(folder: Path, prefect: Path) -> str | None:
    """Return what is to be said of Prefect's database, or None; nothing in it is changed.

    Raises `StoreError` where this Prefect cannot use it.
    """
    file = folder / DATABASE
    if not file.exists() or not file.stat().st_size:
        return None
    aside = f"move it aside with 'mv {file} {file}.old', and Prefect begins a new one"
    lost = "only the history of runs in Prefect is in it, no record"
    try:
        revision = _revision_of(file)
    except sqlite3.DatabaseError as error:
        raise StoreError(
            f"Prefect's database {file} is damaged ({error}): {aside}; {lost}"
        ) from None
    if revision is None:
        raise StoreError(f"{file} is no database of Prefect's: {aside}")
    known, newest = _revisions(prefect)
    if revision not in known:
        raise StoreError(
            f"Prefect's database {file} is of another Prefect, newer than the one installed "
            f"here: install that one again, or {aside}; {lost}"
        )
    if revision != newest:
        return f"Prefect's database {file} is of an older Prefect, and is brought up to date"
    return None


def _revision_of(file: Path) -> str | None:
    """Return the revision of a database's tables; None where it has none of Prefect's."""
    with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=rw", uri=True)) as database:
        (said,) = database.execute("PRAGMA quick_check(1)").fetchone()
        if said != "ok":
            raise sqlite3.DatabaseError(said)
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master")}
        if not {"alembic_version", "flow_run"} <= tables:
            return None
        found = database.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(found[0]) if found else None


def _revisions(prefect: Path) -> tuple[set[str], str]:
    """Return all revisions that the installed Prefect knows, and the newest of them."""
    texts = list(_texts(prefect))
    known = {name for text in texts for name in _REVISION.findall(text)}
    older = {name for text in texts for name in _DOWN.findall(text)}
    (newest,) = known - older
    return known, newest


def _texts(prefect: Path) -> Iterator[str]:
    folder = prefect / "server" / "database" / "_migrations" / "versions" / "sqlite"
    for file in sorted(folder.glob("*.py")):
        yield file.read_text(encoding="utf-8")
