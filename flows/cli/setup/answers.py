"""What `init` asks for, and `config.yaml` with the answers."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template

import yaml

from flows.common.config import ArxivConfig, Config, IdentityConfig, ScheduleConfig

TEMPLATE = Path(__file__).with_name("config-template.yaml")
"""The comments of every `config.yaml`, also of the one in a clone."""

# Wider than that is written in quotes; narrower still by the test that it reads back as it is.
_BARE = re.compile(r"[A-Za-z~./][\w~./:@ -]*", re.ASCII)
_IDENTITY, _SCHEDULE = IdentityConfig(), ScheduleConfig()


@dataclass(frozen=True, slots=True)
class Answers:
    """The settings that `init` asks for; the defaults are those of the configuration."""

    data_dir: str = str(Config.model_fields["data_dir"].default)
    contact: str = ArxivConfig().contact
    signer_id: str = _IDENTITY.signer_id
    base_url: str = _IDENTITY.base_url
    resolver_name: str = _IDENTITY.resolver_name
    categories: tuple[str, ...] = ()
    cron: str = _SCHEDULE.cron
    timezone: str = _SCHEDULE.timezone


def config_text(answers: Answers) -> str:
    """Return the text of `config.yaml`; whatever an answer holds, it stays that one value."""
    values = {
        name: _list(value) if isinstance(value, tuple) else _scalar(value)
        for name, value in asdict(answers).items()
    }
    return Template(TEMPLATE.read_text(encoding="utf-8")).substitute(values)


def _list(values: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_scalar, values))}]"


def _scalar(value: str) -> str:
    """Return a string as YAML on one line, in quotes where it could mean anything else."""
    if _BARE.fullmatch(value) and yaml.safe_load(value) == value:
        return value
    quoted: str = yaml.safe_dump(value, default_style='"', width=float("inf"), allow_unicode=True)
    return quoted.rstrip("\n")
