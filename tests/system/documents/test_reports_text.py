"""The automation in docs/reports.md is one that Prefect takes, and says what a run's event says."""

import re
from uuid import uuid4

import pytest
import yaml
from prefect.events.schemas.automations import AutomationCore
from prefect.server.events.schemas.events import ReceivedEvent
from prefect.server.utilities.user_templates import (
    render_user_template_sync,
    validate_user_template,
)
from support.paths import ROOT

from flows.orchestration.artifacts import COMPLETED, INCOMPLETE

TEXT = (ROOT / "docs" / "reports.md").read_text()
(AUTOMATION,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
RUN = "20261121T050000Z-nightly-00ff"
DONE = {
    "job": "nightly", "exit_status": 0, "summary": "Complete: no paper", "page": "/d/report.html",
    "new_records": 0, "new_snapshots": 0, "rejects": 0,
}  # fmt: skip


def said(payload: dict[str, object]) -> list[str]:
    """Return subject and body of the notification on a run's event, as Prefect renders them."""
    (action,) = yaml.safe_load(AUTOMATION)["actions"]
    event = ReceivedEvent.model_validate({
        "event": COMPLETED, "id": str(uuid4()), "occurred": "2026-11-21T05:01:00Z",
        "payload": payload,
        "resource": {"prefect.resource.id": f"pith.run.{RUN}", "prefect.resource.name": RUN},
    })  # fmt: skip
    rendered = []
    for name in ("subject", "body"):
        validate_user_template(action[name])
        rendered.append(render_user_template_sync(action[name], {"event": event}))
    return rendered


def test_prefect_takes_the_automation_and_it_expects_our_events() -> None:
    automation = AutomationCore.model_validate(yaml.safe_load(AUTOMATION))
    assert getattr(automation.trigger, "expect", None) == {COMPLETED, INCOMPLETE}


@pytest.mark.parametrize(
    ("payload", "subject", "line"),
    [
        (DONE, "pith-ingest nightly: done", "Complete: no paper"),
        ({**DONE, "exit_status": 1}, "pith-ingest nightly: please look", "Complete: no paper"),
        ({"problem": "no key"}, "pith-ingest : please look", "no key"),
    ],
)
def test_the_notification_has_the_sentence_and_where_the_page_is(
    payload: dict[str, object], subject: str, line: str
) -> None:
    said_as, body = said(payload)
    assert (said_as, body.splitlines()[0]) == (subject, line)
    assert body.rstrip().endswith(f"/runs/{RUN}")
    assert ("Page: /d/report.html" in body) is ("page" in payload)
