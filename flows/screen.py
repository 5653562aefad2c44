"""What may stand on a terminal: text from outside never moves its cursor or forges a line."""


def printable(text: str) -> str:
    r"""Return `text` on one line, each control character written as `\x1b` or the like."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
