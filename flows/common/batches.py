"""Items in batches: a step of a run is a batch, never a paper."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

from flows.common.errors import InputFileError

_T = TypeVar("_T")


def batches(items: Iterable[_T], size: int) -> Iterator[list[_T]]:
    """Yield lists of up to `size` items, also those that came before an error, and raise that."""
    iterator, failure = iter(items), None
    while failure is None:
        batch: list[_T] = []
        try:
            batch.extend(islice(iterator, size))
        except InputFileError as error:
            failure = error
        if not batch:
            break
        yield batch
    if failure is not None:
        raise failure
