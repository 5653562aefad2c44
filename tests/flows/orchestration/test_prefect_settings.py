"""A Prefect server is seen wherever Prefect sees it, and Prefect is not imported in vain."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.process

URL = "http://127.0.0.1:4200/api"
SERVER = f'PREFECT_API_URL = "{URL}"\n'
HOME_PROFILES = ".prefect/profiles.toml"
# What we say and whether Prefect was imported for it, then what Prefect's own settings say.
SCRIPT = """
import sys
from flows.orchestration.server import is_configured
print(is_configured(), "prefect" in sys.modules)
from prefect.settings import get_current_settings
print(bool(get_current_settings().api.url))
"""
# Files below the working folder, which is the home too; the environment; is there a server?
CONFIGURED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "prefect.toml": ({"prefect.toml": f'api.url = "{URL}"\n'}, {}),
    "pyproject.toml": ({"pyproject.toml": f'[tool.prefect.api]\nurl = "{URL}"\n'}, {}),
    ".env": ({".env": f"export prefect_api_url={URL}\n"}, {}),
    "active profile": ({HOME_PROFILES: f'active = "a"\n[profiles.a]\n{SERVER}'}, {}),
    "profile by name": (
        {HOME_PROFILES: f'active = "b"\n[profiles.a]\n{SERVER}[profiles.b]\n'},
        {"PREFECT_PROFILE": "a"},
    ),
    "Prefect's own profiles": ({}, {"PREFECT_PROFILE": "local"}),
    "profiles of another file": (
        {
            "other.toml": f'active = "a"\n[profiles.a]\n{SERVER}',
            "pyproject.toml": '[tool.prefect]\nprofiles_path = "other.toml"\n',
        },
        {},
    ),
    "another home": (
        {"there/profiles.toml": f'active = "a"\n[profiles.a]\n{SERVER}'},
        {"PREFECT_HOME": "there"},
    ),
    "environment": ({}, {"PREFECT_API_URL": URL}),
    "environment in small letters": ({}, {"prefect_api_url": URL}),
}
NOT_CONFIGURED: dict[str, tuple[dict[str, str], dict[str, str]]] = {
    "nothing": ({}, {}),
    "a profile that is not active": (
        {HOME_PROFILES: f'active = "b"\n[profiles.a]\n{SERVER}[profiles.b]\n'},
        {},
    ),
    "other settings": (
        {"pyproject.toml": "[tool.prefect]\nserver.analytics_enabled = false\n"},
        {},
    ),
    "another .env": ({".env": "PITH_DATA_DIR=data\n"}, {}),
    "empty in the environment": (
        {"prefect.toml": f'api.url = "{URL}"\n'},
        {"PREFECT_API_URL": ""},
    ),
}


def asked(
    folder: Path, files: dict[str, str], env: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    python_path = ":".join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": python_path} | env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("name", CONFIGURED)
def test_a_server_is_seen_wherever_prefect_sees_it(tmp_path: Path, name: str) -> None:
    done = asked(tmp_path, *CONFIGURED[name])
    at_once = name == "environment"
    assert done.stdout == f"True {not at_once}\nTrue\n", done.stderr


@pytest.mark.parametrize("name", NOT_CONFIGURED)
def test_where_prefect_sees_none_it_is_not_even_imported(tmp_path: Path, name: str) -> None:
    done = asked(tmp_path, *NOT_CONFIGURED[name])
    assert done.stdout == "False False\nFalse\n", done.stderr


def test_settings_that_prefect_cannot_read_are_named(tmp_path: Path) -> None:
    done = asked(tmp_path, {"prefect.toml": "api.url =\n"}, {})
    assert "ConfigError: Prefect cannot read its settings (Failed to load" in done.stderr


@pytest.mark.parametrize("profiles", ["active =", "active = [1]\nprofiles = 2\n"])
def test_settings_that_are_nonsense_configure_nothing(tmp_path: Path, profiles: str) -> None:
    strange = {HOME_PROFILES: profiles, "pyproject.toml": "tool = 3\n"}
    assert asked(tmp_path, strange, {}).stdout.startswith("False False\n")
