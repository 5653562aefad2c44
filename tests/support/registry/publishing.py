"""Publishing a folder's registry as the command does."""

from datetime import UTC, datetime
from pathlib import Path

from flows.registry.publish.publish import PublishReport, publish
from flows.registry.publish.published import FileLayout
from flows.registry.reader import RegistryReader
from flows.registry.server.app import Registry, make_app
from flows.registry.site.statistics import keep_statistics
from flows.store.files.local import Files, LocalFiles
from flows.store.layout import Layout

BASE_URL = "https://registry.example"
MOMENT = datetime(2026, 11, 21, tzinfo=UTC)


def published(
    folder: Path,
    to: Path,
    file_layout: FileLayout | None = None,
    *,
    files: Files | None = None,
    base_url: str = BASE_URL,
) -> PublishReport:
    """Publish `folder`/data to `to`."""
    layout = Layout(folder / "data")
    with RegistryReader(layout) as reader:
        keep_statistics(reader)
        return publish(
            layout,
            files or LocalFiles(to),
            lambda chosen: make_app(Registry(reader, base_url, "A registry", chosen)),
            base_url=base_url,
            moment=MOMENT,
            file_layout=file_layout,
        )
