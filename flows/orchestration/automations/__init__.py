"""The automations that come with the deployments: what the server tells of by itself."""

from collections.abc import Iterator
from pathlib import Path

import yaml
from prefect.client.orchestration import get_client
from prefect.events.schemas.automations import AutomationCore

from flows.orchestration.artifacts import forgiven

FOLDER = Path(__file__).parent


def make_automations() -> None:
    """Make those that the server does not have by their names; what an operator changed stays."""
    with forgiven(), get_client(sync_client=True) as client:
        for automation in shipped():
            if not client.read_automations_by_name(automation.name):
                client.create_automation(automation)


def shipped() -> Iterator[AutomationCore]:
    """Yield the automations of the files beside this one."""
    for file in sorted(FOLDER.glob("*.yaml")):
        yield AutomationCore.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
