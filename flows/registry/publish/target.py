"""Where a registry is published to: what is written there, by name and hash."""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

from flows.common.errors import ConfigError
from flows.common.files.whole_file import Data
from flows.registry.publish.published import WrittenKey
from flows.store.files.local import Files, LocalFiles, writing

S3 = "s3://"


def files_at(place: str) -> Files:
    """Return the files below a folder, or below a URL such as `s3://bucket/prefix`."""
    if "://" not in place:
        return LocalFiles(Path(place))
    if not place.startswith(S3):
        raise ConfigError(f"cannot publish to {place}: name a folder, or {S3}BUCKET/PREFIX")
    from flows.store.files.objects import ObjectFiles

    return ObjectFiles(place)


class Target:
    """A target under work; `written` is what was written, in its order."""

    def __init__(self, files: Files) -> None:
        """Write nothing yet."""
        self.files = files
        self.written: list[WrittenKey] = []

    @property
    def folder(self) -> Path:
        """What errors of the disk name."""
        return Path(self.files.location())

    def write(self, key: str, data: Data) -> None:
        """Write a file, durable, in one step."""
        with writing(self.folder):
            self.files.write(key, data)
        self._note(key, data)

    def write_changed(self, key: str, data: bytes) -> None:
        """Write a file unless it is there with the same bytes."""
        try:
            if self.files.read(key) == data:
                return
        except FileNotFoundError:
            pass
        self.write(key, data)

    def write_many(self, files: Iterable[tuple[str, bytes]]) -> None:
        """Write files, each in one step; they survive a power cut once the target is synced."""
        with writing(self.folder):
            self.files.write_derived(self._noted(files))

    def _noted(self, files: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        for key, data in files:
            self._note(key, data)
            yield key, data

    def _note(self, key: str, data: Data) -> None:
        self.written.append(WrittenKey(key, len(data), hashlib.sha256(data).hexdigest()))
