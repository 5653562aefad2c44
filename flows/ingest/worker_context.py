"""From the configuration to a data folder and to what preparing needs, in whichever process."""

from dataclasses import dataclass
from pathlib import Path

from flows.common.config import Config
from flows.common.errors import ConfigError
from flows.common.files.locations import state_folder
from flows.common.keys import load_issuer
from flows.store.catalog.catalog import Catalog
from flows.store.catalog.copies import readable_catalog
from flows.store.layout import Layout
from transforms import Issuer


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """All that preparing shards needs: where they lie, what is known, who signs, the run's name."""

    layout: Layout
    catalog: Catalog
    issuer: Issuer
    run: str


@dataclass(frozen=True, slots=True)
class WorkerSetup:
    """All that a worker opens its context with, and the key it must find there; no secrets."""

    config: Config
    run: str
    fingerprint: str


def layout_of(config: Config) -> Layout:
    """Return where everything lies; nothing is asked of an object store yet."""
    if isinstance(config.data_dir, Path):
        return Layout(config.data_dir)
    from flows.store.files.objects import ObjectFiles

    return Layout(state_folder(config.state_dir, config.data_dir), ObjectFiles(config.data_dir))


def open_context(setup: WorkerSetup, issuer: Issuer | None = None) -> WorkerContext:
    """Return the context of a worker process, on the coordinator's machine or on any other.

    Without an `issuer` the key is found as the flow's process finds it; raises `ConfigError` where
    it is another one. Elsewhere than on the coordinator's machine, what is known is what the
    catalog's copy in the store knew when the run began.
    """
    config = setup.config
    issuer = issuer or load_issuer(config.identity)
    if issuer.fingerprint != setup.fingerprint:
        raise ConfigError(
            f"has another signing key: fingerprint {issuer.fingerprint}, "
            f"but this run signs with {setup.fingerprint}; give it the same one, and run again"
        )
    layout = layout_of(config)
    catalog = Catalog.open(readable_catalog(layout), read_only=True)
    return WorkerContext(layout, catalog, issuer, setup.run)
