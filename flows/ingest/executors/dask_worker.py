"""What a Dask worker does with the work that it is sent: it makes its own desk, and says who it is.

Everything comes as bytes, so that Dask looks for nothing in it and a worker of another version can
say so before it reads them.
"""

import gc
import os
import pickle
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from flows.common.config import BUILDER_VERSION
from flows.common.errors import ConfigError, PithError
from flows.common.keys import has_key
from flows.ingest.executors.processes import Work
from flows.ingest.executors.shared_folder import check_shared
from flows.ingest.prepare import Desk
from flows.ingest.worker_context import Orders, open_desk


class _Own(threading.local):
    """A thread's desk: SQLite's connection and the signer are used on one thread alone."""

    orders: bytes | None = None
    desk: Desk | None = None


_own = _Own()


def do(version: str, orders: bytes, work: bytes) -> Any:  # noqa: ANN401 - whatever the work gives
    """Do a pickled `Work`; errors that a user can act on name this worker."""
    try:
        _check_version(version)
        desk = _desk(orders)
        asked: Work[Any] = pickle.loads(work)  # noqa: S301 - from the flow's process
        with _no_collections():
            return asked(desk)
    except PithError as error:
        here = f"process {os.getpid()} on {socket.gethostname()}"
        raise type(error)(f"the Dask worker {here}: {error}") from None


def be_ready(desk: Desk) -> None:
    """Do nothing, at a desk that was found good."""


def _check_version(version: str) -> None:
    if version != BUILDER_VERSION:
        raise ConfigError(f"has {BUILDER_VERSION}, but this is {version}: install the same there")


def _desk(orders: bytes) -> Desk:
    """Return this thread's desk for the run with these orders."""
    if _own.desk is None or _own.orders != orders:
        if _own.desk is not None:
            _own.desk.catalog.close()
            _own.desk = None
        _own.desk, _own.orders = _checked_desk(pickle.loads(orders)), orders  # noqa: S301 - as above
    return _own.desk


def _checked_desk(orders: Orders) -> Desk:
    if isinstance(orders.config.data_dir, Path):
        check_shared(orders.config.data_dir, orders.run)
    identity = orders.config.identity
    if not has_key(identity):
        raise ConfigError(
            f"has no signing key: put it into {identity.key_file} there, or into PITH_SIGNING_KEY"
        )
    return open_desk(orders)


@contextmanager
def _no_collections() -> Iterator[None]:
    """Keep the cyclic collector off: nothing that a unit makes refers back to itself."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
