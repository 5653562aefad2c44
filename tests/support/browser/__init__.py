"""A real browser for tests: Chromium, pages that may not complain, a site on loopback, axe."""
