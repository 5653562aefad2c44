"""Limits and sizes of a run as values that are handed in: tests hand in small ones of their own.

What stands here is what a run or a test may have reason to change. Limits that protect a reader
from hostile input, and belong to one parser, stand beside it; `SECURITY.md` lists them all.
"""

from dataclasses import dataclass, field

from transforms.parsing.oai_xml import MAX_PAGE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """The limits of one request to arXiv, and how often it is made.

    Attributes:
        attempts: How often a request is made before arXiv counts as unreachable.
        connect_seconds: For the connection.
        read_seconds: For the server's silence; arXiv's CDN gives up with a 503 after 183 s.
        total_seconds: For one request and its whole reply: 5 MB, arXiv's largest page, then still
            come at 100 kbit/s.
        longest_backoff_seconds: Between two attempts, where the server asks for no time.
        longest_retry_after_seconds: Of what a server may ask for with `Retry-After`.
        max_redirects: Followed one after another.
        max_bytes: Of a reply, decompressed.
    """

    attempts: int = 8
    connect_seconds: float = 30.0
    read_seconds: float = 200.0
    total_seconds: float = 600.0
    longest_backoff_seconds: float = 120.0
    longest_retry_after_seconds: float = 3600.0
    max_redirects: int = 3
    max_bytes: int = MAX_PAGE_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits and sizes of a run.

    Attributes:
        retry: How requests to arXiv are made and made again.
        search_page: Papers that one request of a search asks for; 2,000 is arXiv's most (API
            User's Manual, section 3.1.1.2).
    """

    retry: RetryPolicy = field(default_factory=RetryPolicy)
    search_page: int = 2_000
