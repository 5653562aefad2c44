"""Where real replies of arXiv's are."""

import pytest

from support.paths import SHARED

ARXIV = SHARED / "arxiv"
needs_shared = pytest.mark.skipif(not ARXIV.is_dir(), reason=f"no captured replies in {ARXIV}")
