"""Whether a Prefect server is configured, told without importing Prefect, which takes seconds."""

import os
import tomllib
from pathlib import Path
from typing import Any

_API_URL = "PREFECT_API_URL"


def is_configured() -> bool:
    """Tell whether `PREFECT_API_URL` is set, in the environment or in Prefect's active profile.

    The profiles are in `$PREFECT_HOME/profiles.toml` (`~/.prefect`); `PREFECT_PROFILE` overrides
    which one is active. A file that cannot be read configures nothing.
    """
    if os.environ.get(_API_URL):
        return True
    profiles = _read_profiles()
    active = os.environ.get("PREFECT_PROFILE") or profiles.get("active")
    settings = profiles.get("profiles", {}).get(active, {})
    return bool(settings.get(_API_URL))


def _read_profiles() -> dict[str, Any]:
    home = Path(os.environ.get("PREFECT_HOME") or "~/.prefect").expanduser()
    file = Path(os.environ.get("PREFECT_PROFILES_PATH") or home / "profiles.toml")
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):  # TOML's and UTF-8's errors are ValueErrors
        return {}
