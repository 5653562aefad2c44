"""An imitation of arXiv on loopback: OAI-PMH, the Atom API, and their ways of failing."""

from .faults import (
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
from .generate import make_library
from .library import Library, Version, Work
from .plan import Seen
from .server import ArxivServer
from .sets import set_of

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
