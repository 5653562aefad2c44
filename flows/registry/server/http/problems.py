"""Errors as `application/problem+json` (RFC 9457)."""

from http import HTTPStatus

from transforms.encoding.canonical import compact_json_unchecked

MEDIA_TYPE = "application/problem+json"


class ProblemError(Exception):
    """A request that cannot be answered: its status, and one sentence that says why.

    The sentence is for strangers: it names nothing of the machine.
    """

    def __init__(
        self, status: HTTPStatus, detail: str, headers: dict[str, str] | None = None
    ) -> None:
        """Take the status, the sentence and what else the reply's headers say."""
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


def problem_json(status: HTTPStatus, detail: str) -> bytes:
    """Return the body of an error; its type is that of the status alone."""
    return compact_json_unchecked(
        {
            "type": "about:blank",
            "title": status.phrase,
            "status": int(status),
            "detail": detail,
        }
    )
