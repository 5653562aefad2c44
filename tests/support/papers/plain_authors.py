"""The rule of `authors_text`, sentence by sentence and slowly."""

# Unicode's whitespace, as in tests/vectors/README.md, step 2.
WHITESPACE = "\t\n\x0b\f\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2003\u2028\u2029\u202f\u205f\u3000"


def plain_authors_text(authors: str) -> str:
    """Follow `vectors/README.md` word by word."""
    pieces = set()
    for part in authors.split(","):
        words: list[str] = []
        for word in [*part.split(), "and"]:
            if word == "and":
                pieces.add(" ".join(words))
                words = []
            else:
                words.append(word)
    pieces.discard("")
    return ", ".join(sorted(pieces, key=_place))


def _place(piece: str) -> tuple[str, list[tuple[bool, str]], str]:
    letters = [c for c in piece if "0" <= c <= "9" or "A" <= c <= "Z" or "a" <= c <= "z"]
    return "".join(letters).lower(), [(c.isupper(), c) for c in letters], piece
