"""Python's collector of cycles, kept off where nothing makes any."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def no_collections() -> Iterator[None]:
    """Keep the cyclic collector off: nothing that a unit makes refers back to itself."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
