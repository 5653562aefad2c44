"""What processes find in their environments."""

import os
from pathlib import Path
from typing import Any

from flows.ingest.worker_context import WorkerContext


def look(context: Any) -> tuple[str, str, str]:
    """Return what a worker and the process that it came from have in their environments."""
    own, parent = (Path(f"/proc/{pid}/environ").read_text() for pid in (os.getpid(), os.getppid()))
    return own, parent, f"{os.environ.get('PITH_SIGNING_KEY')} SIGNS {context.issuer.fingerprint}"


def my_pid(_: WorkerContext) -> int:
    return os.getpid()
