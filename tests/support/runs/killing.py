"""A run that dies within a step."""

from typing import Any


class KilledError(BaseException):
    """Stands for the end of the process at one point."""


def kill(*_: Any, **__: Any) -> None:
    raise KilledError
