"""A reply on its way to the client."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reply:
    """
    What to send, and how far.

    `cut` ends the connection after so many bytes, or that fraction, of the body as sent;
    `dropped` ends it before any byte; `delay` is in seconds and precedes the first byte.
    """

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    cut: float | None = None
    dropped: bool = False
    delay: float = 0.0


def cut_at(at: float, length: int) -> int:
    """Return a place in a body: an int counts bytes, a float is a fraction."""
    return min(length, at if isinstance(at, int) else int(at * length))
