"""A bundle that was found to verify."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FoundBundle:
    """The bytes of one bundle, or None with the reason why they could not be read.

    `row` counts the rows of a Parquet file from 0; `columns` is what the row says beside.
    """

    path: str
    data: bytes | None
    unreadable: str = ""
    row: int | None = None
    columns: dict[str, object] | None = None
