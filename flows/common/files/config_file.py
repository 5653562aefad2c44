"""The file `config.yaml`: which one counts where none is named, and reading it."""

import os
import stat
from pathlib import Path
from typing import Any

import yaml

from flows.common.errors import ConfigError

DEFAULT_FILE = Path("config.yaml")
_PREFECTS_FILES = (Path(".env"), Path("prefect.toml"), Path("pyproject.toml"))


def file_here() -> Path | None:
    """Return `config.yaml` of the working folder, or None; refuses one that was planted there.

    Whoever stands in a folder takes its owner's word, or root's; not that of a third who can write
    to it, as anyone can to `/tmp`.
    """
    if not DEFAULT_FILE.exists():
        return None
    found, link = DEFAULT_FILE.stat(), DEFAULT_FILE.lstat()
    if not stat.S_ISREG(found.st_mode):
        raise ConfigError(f"{DEFAULT_FILE} in this folder is not a file; name another by --config")
    if not {found.st_uid, link.st_uid} <= {os.geteuid(), 0, Path().stat().st_uid}:
        raise ConfigError(
            f"{DEFAULT_FILE} in this folder is neither yours nor the folder's owner's; if you "
            f"trust it, say so with --config {DEFAULT_FILE}"
        )
    return DEFAULT_FILE


def refuse_prefects_files() -> None:
    """Refuse to ask Prefect for a key where the working folder could say which server to ask."""
    for file in _PREFECTS_FILES:
        if file.exists():
            raise ConfigError(
                f"the signing key is a Prefect Secret, and {file} in this folder can lead Prefect "
                "to another server; stand in another folder, or set PITH_SIGNING_KEY"
            )


def read_yaml(file: Path) -> dict[str, Any]:
    """Return the settings of a YAML file; raises `ConfigError`, which repeats none of them."""
    try:
        values = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise ConfigError(f"cannot read the configuration {file}: {reason}") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise ConfigError(f"{file} is not YAML: {_yaml_problem(error)}") from None
    if values is None:
        return {}
    if not isinstance(values, dict) or not all(isinstance(key, str) for key in values):
        raise ConfigError(f"{file} must hold settings such as 'data_dir: data'")
    return values


def _yaml_problem(error: Exception) -> str:
    """Return what is wrong and where, without the line itself, which may hold a key."""
    if isinstance(error, yaml.MarkedYAMLError) and error.problem and error.problem_mark:
        mark = error.problem_mark
        return f"{error.problem} in line {mark.line + 1}, column {mark.column + 1}"
    return "nested too deeply" if isinstance(error, RecursionError) else "a value is not readable"
