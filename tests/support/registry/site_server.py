"""The registry's application in a real uvicorn on loopback, its index and figures made before."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import uvicorn

from flows.registry.reader import RegistryReader
from flows.registry.server.app import Registry, make_app
from flows.registry.site.statistics import keep_statistics
from flows.store.layout import Layout
from flows.store.search.build import update_index

NAME = "A registry <of> tests & more"


def prepare(folder: Path) -> None:
    """Make what the service makes in the background."""
    layout = Layout(folder / "data")
    update_index(layout, print)
    with RegistryReader(layout) as reader:
        keep_statistics(reader)


@contextmanager
def serve_pages(folder: Path, *, prepared: bool = True, name: str = NAME) -> Iterator[str]:
    """Serve `folder`/data and yield its address, which is the base URL of its pages too."""
    if prepared:
        prepare(folder)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with RegistryReader(Layout(folder / "data")) as reader:
            app = make_app(Registry(reader, url, name))
            config = uvicorn.Config(app, lifespan="off", log_level="error", loop="asyncio")
            server = uvicorn.Server(config)
            thread = Thread(target=server.run, kwargs={"sockets": [listener]})
            thread.start()
            try:
                yield url
            finally:
                server.should_exit = True
                thread.join()
