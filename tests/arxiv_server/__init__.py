"""An imitation of arXiv on loopback: OAI-PMH, the Atom API, and their ways of failing."""

from arxiv_server.faults import (
    CachedError,
    CutConnection,
    DropConnection,
    Fault,
    Forbidden,
    Garbage,
    Oversized,
    Redirect,
    Restamp,
    SlowFirstByte,
    Stale,
    Truncate,
    Unavailable,
    Vanish,
    random_faults,
)
from arxiv_server.papers.generate import make_library
from arxiv_server.papers.library import Library, Version, Work
from arxiv_server.papers.plan import Seen
from arxiv_server.server import ArxivServer
from arxiv_server.services.sets import set_of

__all__ = [
    "ArxivServer",
    "CachedError",
    "CutConnection",
    "DropConnection",
    "Fault",
    "Forbidden",
    "Garbage",
    "Library",
    "Oversized",
    "Redirect",
    "Restamp",
    "Seen",
    "SlowFirstByte",
    "Stale",
    "Truncate",
    "Unavailable",
    "Vanish",
    "Version",
    "Work",
    "make_library",
    "random_faults",
    "set_of",
]
