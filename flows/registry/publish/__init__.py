"""The registry as plain files, which any web server, CDN or bucket serves (docs/registry.md)."""
