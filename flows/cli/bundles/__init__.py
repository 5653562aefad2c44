"""Commands on bundles, wherever they are from: verify, merge."""
