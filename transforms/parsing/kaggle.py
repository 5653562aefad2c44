"""Rows of the public snapshot of arXiv's metadata on Kaggle: one line of JSON to one paper.

Two schemas are in use. In the current one `categories` is a string and a version is an object;
in the older one `categories` is a list of such a string, `versions` and `versions_dates` are two
lists of strings, and neither `license` nor `update_date` exists.
"""

from datetime import date

import orjson

from transforms.paper.paper import BadPaperError, Paper, Version, check_id, make_paper, make_version

Row = dict[str, object]
"""A line's object, of which nothing is checked yet."""


def parse_line(line: bytes) -> Paper:
    """Return the paper of one row, the same as from OAI but for what no row has.

    No row has a version's size and source type (so `withdrawn` is False), the MSC class or the ACM
    class; a row of the older schema has no licence, so `license` is `""`, and no datestamp. Raises
    `BadPaperError` with the reason.
    """
    row = _read_object(line)
    older = "versions_dates" in row
    if not older and "license" not in row:
        # Null says that arXiv gives none; a row without the key would get another number.
        raise BadPaperError("no license")
    arxiv_id = _text(row, "id")
    if arxiv_id is None:
        raise BadPaperError("no id")
    return make_paper(
        arxiv_id=arxiv_id,
        versions=_older_versions(row) if older else _versions(row),
        title=_text(row, "title"),
        abstract=_text(row, "abstract"),
        authors=_text(row, "authors"),
        categories=_older_categories(row) if older else _text(row, "categories"),
        license_url=_text(row, "license"),
        submitter=_text(row, "submitter"),
        comments=_text(row, "comments"),
        journal_ref=_text(row, "journal-ref"),
        doi=_text(row, "doi"),
        report_no=_text(row, "report-no"),
        datestamp=_day(_text(row, "update_date")),
    )


def claimed_id(line: bytes) -> str | None:
    """Return the arXiv id that a refused row gives, or None where it has none that is one."""
    try:
        return check_id(orjson.loads(line)["id"])
    except (ValueError, KeyError, TypeError):
        return None


def _read_object(line: bytes) -> Row:
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        # The position is left out: a report counts rejects by reason, and the line is kept.
        reason = f"not JSON: {error.msg}" if _is_utf8(line) else "not UTF-8"
        raise BadPaperError(reason) from None
    if type(row) is not dict:
        raise BadPaperError(f"not a JSON object but {_kind(row)}")
    return row


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _text(row: Row, name: str) -> str | None:
    """Return the string under `name`, or None where it is null or absent."""
    value = row.get(name)
    if value is None or type(value) is str:
        return value
    raise BadPaperError(f"{name} is {_kind(value)}, not a string")


def _list(row: Row, name: str) -> list[object]:
    value = row.get(name)
    if value is None:
        raise BadPaperError(f"no {name}")
    if type(value) is not list:
        raise BadPaperError(f"{name} is {_kind(value)}, not a list")
    return value


def _versions(row: Row) -> list[Version]:
    versions = []
    for version in _list(row, "versions"):
        if type(version) is not dict:
            raise BadPaperError(f"a version is {_kind(version)}, not an object")
        versions.append(_version(version.get("version"), version.get("created")))
    return versions


def _older_versions(row: Row) -> list[Version]:
    names, dates = _list(row, "versions"), _list(row, "versions_dates")
    if len(names) != len(dates):
        raise BadPaperError(f"{len(names)} versions but {len(dates)} dates")
    return [_version(name, created) for name, created in zip(names, dates, strict=True)]


def _version(name: object, created: object) -> Version:
    if type(name) is not str:
        raise BadPaperError(f"a version's number is {_kind(name)}, not a string")
    if type(created) is not str:
        raise BadPaperError(f"date of {name:.80}: {_kind(created)}, not a string")
    return make_version(name, created)


def _older_categories(row: Row) -> str:
    categories = _list(row, "categories")
    texts = [category for category in categories if isinstance(category, str)]
    if len(texts) < len(categories):
        raise BadPaperError("categories is not a list of strings")
    return " ".join(texts)


def _day(text: str | None) -> date | None:
    if text is None:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:  # `20080101` and `2008-W01-2` are ISO days too
        raise BadPaperError(f"update_date {text!r:.80} is not a day such as 2008-11-26")
    return day


def _kind(value: object) -> str:
    """Return the name of a JSON value's type."""
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")
