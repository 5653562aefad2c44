"""Every parser takes time and memory in proportion to its input, and no more than is said."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "tests" / "benchmarks" / "linearity.py"
WORST = ROOT / "tests" / "benchmarks" / "worst_memory.py"
SAID = re.search(r"^\| memory of a reader \| (.*?) \|", (ROOT / "SECURITY.md").read_text(), re.M)
