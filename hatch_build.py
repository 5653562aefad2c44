"""A build hook: wheel and sdist say which commit they were built from, in `flows/commit.txt`."""

import subprocess
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

COMMIT_FILE = "flows/commit.txt"
DESCRIBE = ("git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*")


class CommitHook(BuildHookInterface[Any]):
    """Adds the file to what is built, and writes nothing into the clone."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make the file where git knows the commit; an sdist brings its own, a clone is asked."""
        root = Path(self.root)
        if version == "editable" or (root / COMMIT_FILE).exists() or not (root / ".git").exists():
            return
        done = subprocess.run(DESCRIBE, cwd=root, capture_output=True, text=True, check=False)
        if commit := done.stdout.strip():
            self._folder = tempfile.TemporaryDirectory()
            file = Path(self._folder.name, "commit.txt")
            file.write_text(f"{commit}\n", encoding="ascii")
            build_data["force_include"][str(file)] = COMMIT_FILE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary file."""
        del version, build_data, artifact_path
        if folder := getattr(self, "_folder", None):
            folder.cleanup()
