"""Serving a data folder: one socket, its workers, and what keeps the index of bundles."""

import os
import signal
import socket
from contextlib import closing
from dataclasses import dataclass
from multiprocessing import parent_process
from multiprocessing.connection import wait
from threading import Event, Thread

from flows.common.counts import counted
from flows.common.http.listening import listen
from flows.common.terminal import echo, sentence
from flows.registry.index.following import follow
from flows.registry.reader import RegistryReader
from flows.registry.server.workers import Workers
from flows.registry.site.keeping import keep_pages
from flows.store.catalog.copies import open_catalog
from flows.store.layout import Layout

_BACKLOG = 2048
GRACE_SECONDS = 10
"""For requests that are under way when the service stops."""


@dataclass(frozen=True, slots=True)
class Service:
    """What a worker needs: the data folder, below which address it is published, the name."""

    layout: Layout
    base_url: str
    name: str
    access_log: bool = True


def serve(service: Service, *, host: str, port: int, workers: int) -> bool:
    """Serve until SIGINT or SIGTERM, and return whether it was one that ended it.

    Raises `StoreError` where there are no records, `ConfigError` where the address cannot be used.
    """
    with closing(open_catalog(service.layout)) as catalog:
        count = catalog.count("records")
    stop = Event()
    followers = [
        Thread(target=keep, args=(service.layout, stop, _say), daemon=True)
        for keep in (follow, keep_pages)
    ]
    with listen(host, port, backlog=_BACKLOG) as listener:
        shown = f"[{host}]" if ":" in host else host
        port = listener.getsockname()[1]
        echo(
            f"serving {counted(count, 'records')} of {service.layout.location} at http://{shown}:{port}"
        )
        for follower in followers:
            follower.start()
        try:
            return Workers(work, (service, listener), workers, _say, GRACE_SECONDS + 5).run()
        finally:
            stop.set()
            for follower in followers:
                follower.join()


def work(service: Service, listener: socket.socket) -> None:
    """Answer requests until SIGTERM, or until the parent process has ended."""
    import uvicorn

    from flows.registry.server.app import Registry, make_app
    from flows.registry.server.http.guard import MAX_HEADER_BYTES, write_line
    from flows.registry.server.http.protocol import KEEP_ALIVE_SECONDS, LimitedProtocol

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C on a terminal is for the parent
    Thread(target=_end_with_parent, daemon=True).start()
    with RegistryReader(service.layout) as reader:
        registry = Registry(reader, service.base_url, service.name)
        config = uvicorn.Config(
            make_app(registry, write_line if service.access_log else None),
            http=LimitedProtocol,
            loop="asyncio",
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="error",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=GRACE_SECONDS,
            h11_max_incomplete_event_size=MAX_HEADER_BYTES,
        )
        uvicorn.Server(config).run(sockets=[listener])


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        wait([parent.sentinel])
        os.kill(os.getpid(), signal.SIGTERM)


def _say(text: str) -> None:
    echo(f"pith-ingest: {sentence(text)}", err=True)
