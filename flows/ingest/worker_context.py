"""From the configuration to a data folder and to a desk, in whichever process."""

from dataclasses import dataclass
from pathlib import Path

from flows.common.config import Config
from flows.common.errors import ConfigError
from flows.common.files.locations import state_folder
from flows.common.keys import load_issuer
from flows.ingest.prepare import Desk
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.copies import readable_catalog
from flows.store.layout import Layout
from transforms import Issuer


def layout_of(config: Config) -> Layout:
    """Return where everything lies; nothing is asked of an object store yet."""
    if isinstance(config.data_dir, Path):
        return Layout(config.data_dir)
    from flows.store.files.objects import ObjectFiles

    return Layout(state_folder(config.state_dir, config.data_dir), ObjectFiles(config.data_dir))


@dataclass(frozen=True, slots=True)
class Orders:
    """What a worker needs to make its desk for a run, and what it must find there; no secrets."""

    config: Config
    run: str
    fingerprint: str


def open_desk(orders: Orders, issuer: Issuer | None = None) -> Desk:
    """Return the desk of a worker process, on the coordinator's machine or on any other.

    Without an `issuer` the key is found as the flow's process finds it; raises `ConfigError` where
    it is another one. Elsewhere than on the coordinator's machine, what is known is what the
    catalog's copy in the store knew when the run began.
    """
    config, run = orders.config, orders.run
    issuer = issuer or load_issuer(config.identity)
    if issuer.fingerprint != orders.fingerprint:
        raise ConfigError(
            f"has another signing key: fingerprint {issuer.fingerprint}, "
            f"but this run signs with {orders.fingerprint}; give it the same one, and run again"
        )
    layout = layout_of(config)
    return Desk(layout, Catalog.open(readable_catalog(layout), read_only=True), issuer, run)
