"""Another registry's bundles, fetched and verified one by one (docs/registry.md)."""
