"""Every parser takes time and memory in proportion to its input, and holds what it says it does."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.linearity import apart
from hostile.inputs import PAGES, RECORD, listed
from oai_pages import page, record

from transforms import strict_xml
from transforms.arxiv_xml import parse_page
from transforms.oai_xml import MAX_TOKEN, PageError
from transforms.strict_xml import element_spans

SCRIPT = Path(__file__).parent / "benchmarks" / "linearity.py"


def test_four_times_the_bytes_take_at_most_five_times_the_time_and_memory() -> None:
    done = subprocess.run(
        [sys.executable, SCRIPT, "--bytes", "60000"],
        capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(done.stdout.splitlines()) > 100
