"""What docs/reports.md has Prefect send after a run: a real server posts it to a real webhook."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from threading import Thread
from typing import Any

import pytest
import yaml
from support.paths import ROOT
from support.runs.real_prefect import PATIENCE, Api, RealServer, process
from support.runs.runs import SAMPLE

pytestmark = pytest.mark.prefect

TEXT = (ROOT / "docs" / "reports.md").read_text()
(AUTOMATION,) = re.findall(r"^```yaml\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)


@contextmanager
def webhook() -> Iterator[tuple[str, Queue[dict[str, str]]]]:
    """Listen for what is posted as JSON; give the address, and what came."""
    came: Queue[dict[str, str]] = Queue()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            came.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/", came
        finally:
            server.shutdown()


def make_block(api: Api, url: str) -> str:
    """Make the block of a webhook as the form of Prefect's UI does, and return its id."""
    kind = api.get("block_types/slug/custom-webhook")["id"]
    (schema,) = api.ask("block_schemas/filter", block_schemas={"block_type_id": {"any_": [kind]}})
    made = api.ask(
        "block_documents/",
        name="to-the-boss",
        block_type_id=kind,
        block_schema_id=schema["id"],
        data={
            "name": "to the boss",
            "url": url,
            "json_data": {"title": "{{subject}}", "text": "{{body}}"},
        },
    )
    return str(made["id"])


def test_the_report_of_a_run_is_posted(tmp_path: Path, real_server: RealServer) -> None:
    api, log, data = real_server.api, tmp_path / "log", tmp_path / "data"
    words = ("flows.cli.main", "backfill", "--raw", str(SAMPLE), "--data", str(data))
    own = {"HOME": str(tmp_path), "PITH_IDENTITY__KEY_FILE": str(tmp_path / "signing.key")}
    with webhook() as (url, came):
        automation = yaml.safe_load(AUTOMATION)
        automation["actions"][0]["block_document_id"] = make_block(api, url)
        made = api.ask("automations/", **automation)["id"]
        with process(log, *words, env=real_server.env | own, cwd=tmp_path) as child:
            assert child.wait(PATIENCE) == 1  # the sample has a broken record
        posted = came.get(timeout=PATIENCE)
        api.client.delete(f"automations/{made}").raise_for_status()
    (page,) = data.rglob("report.html")
    assert posted["title"] == "pith-ingest backfill: please look"
    first, _, counted, where, registry = posted["text"].splitlines()
    assert first.startswith("Done: 9 papers came (9 new); 1 reject")
    assert (counted, where) == ("New 9, changed 0, rejects 1.", f"Page: {page}")
    assert registry == f"https://records.example.org/runs/{page.parent.name}"
