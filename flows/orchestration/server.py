"""Whether a Prefect server is configured: Prefect's settings say, read where anything is set.

Importing Prefect takes seconds, so first it is looked whether any of the places that Prefect reads
can name a server. They may say yes too often, never too seldom.
"""

import os
import tomllib
from pathlib import Path
from typing import Any

from flows.common.errors import ConfigError

_API_URL = "PREFECT_API_URL"


def is_configured() -> bool:
    """Return whether Prefect's settings name a server, as `prefect config view` would show it.

    The environment comes first, and an empty `PREFECT_API_URL` there means none. Raises
    `ConfigError` where Prefect cannot read its own settings.
    """
    in_environment = os.environ.get(_API_URL)
    if in_environment is not None:
        return bool(in_environment)
    return _may_be_configured() and bool(_api_url())


def _api_url() -> str | None:
    try:
        from prefect.settings import get_current_settings

        return get_current_settings().api.url
    except (ValueError, TypeError, OSError) as error:  # pydantic's errors are ValueErrors
        reason = str(error).partition("\n")[0]
        raise ConfigError(
            f"Prefect cannot read its settings ({reason}): mend them, or say with {_API_URL}= in "
            "the environment that there is no server"
        ) from None


def _may_be_configured() -> bool:
    """Return whether anything that Prefect reads may name a server, or name where one is named."""
    return (
        any(name.upper().startswith(("PREFECT_API", "PREFECT_PROFILE")) for name in os.environ)
        or "prefect_" in _text(Path(".env")).lower()
        or Path("prefect.toml").exists()
        or not {"api", "profiles_path"}.isdisjoint(
            _table(_toml(Path("pyproject.toml")), "tool", "prefect")
        )
        or _API_URL in _active_profile()
    )


def _active_profile() -> dict[str, Any]:
    home = Path(os.environ.get("PREFECT_HOME") or Path.home() / ".prefect")
    profiles = _toml(home / "profiles.toml")
    return _table(profiles, "profiles", str(profiles.get("active")))


def _toml(file: Path) -> dict[str, Any]:
    """Return what a file says; one that is not there or cannot be read says nothing."""
    try:
        return tomllib.loads(_text(file))
    except tomllib.TOMLDecodeError:
        return {}


def _table(settings: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return a table within tables, or an empty one where there is none."""
    found = settings
    for name in names:
        inner = found.get(name)
        found = inner if isinstance(inner, dict) else {}
    return found


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
