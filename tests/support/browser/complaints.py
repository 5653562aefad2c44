"""What pages complain of."""

from urllib.parse import urlsplit

from playwright.sync_api import ConsoleMessage, Request, WebError


class Complaints:
    """What pages, their workers and frames complained of; a test says which it expects.

    That is every error and warning in the console (a broken Content Security Policy is one), every
    exception that nothing caught, and every request to another machine than this one.
    """

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.requests: list[str] = []
        """The address of every request, in order."""
        self._expected: list[str] = []

    def expect(self, part: str) -> None:
        """Let pass the complaints that hold `part`; there must be one."""
        self._expected.append(part)

    def of_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.heard.append(f"{message.type}: {message.text}")

    def of_page(self, error: WebError) -> None:
        self.heard.append(f"uncaught: {error.error}")

    def of_request(self, request: Request) -> None:
        self.requests.append(request.url)
        address = urlsplit(request.url)
        if address.scheme not in {"blob", "data"} and address.hostname != "127.0.0.1":
            self.heard.append(f"a request to {request.url}")

    def unexpected(self) -> list[str]:
        """Return the complaints that no test expected, and the expected ones that never came."""
        never = [part for part in self._expected if not any(part in heard for heard in self.heard)]
        return [
            *(heard for heard in self.heard if not any(part in heard for part in self._expected)),
            *(f"expected, but never heard: {part}" for part in never),
        ]
