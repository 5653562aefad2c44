"""Composing rows of the Kaggle snapshot for tests, in both schemas."""

import json
from typing import Any

DATE = "Tue, 03 Mar 2009 04:22:14 GMT"


def row(arxiv_id: str = "0903.0442", **fields: Any) -> dict[str, Any]:
    """Compose a row of the current schema; `_` in a field's name stands for `-`."""
    values = {
        "id": arxiv_id,
        "submitter": "A. Submitter",
        "authors": "A. One and B. Two",
        "title": f"A title of {arxiv_id}",
        "comments": None,
        "journal-ref": None,
        "doi": None,
        "report-no": None,
        "categories": "cs.LG stat.ML",
        "license": "http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
        "abstract": f"  An abstract of {arxiv_id}.\n",
        "versions": [{"version": "v1", "created": DATE}],
        "update_date": "2011-02-03",
        "authors_parsed": [["One", "A.", ""], ["Two", "B.", ""]],
    }
    kept_underscore = {"update_date", "versions_dates", "authors_parsed"}
    names = {name: name if name in kept_underscore else name.replace("_", "-") for name in fields}
    return values | {names[name]: value for name, value in fields.items()}


def older_row(arxiv_id: str = "0903.0442", **fields: Any) -> dict[str, Any]:
    """Compose a row of the older schema."""
    older = {"categories": ["cs.LG stat.ML"], "versions": ["v1"], "versions_dates": [DATE]}
    composed = row(arxiv_id, **older | fields)
    for name in ("license", "update_date", "authors_parsed"):
        del composed[name]
    return composed


def line(values: dict[str, Any]) -> bytes:
    """Return a row as a line, written as in the snapshot: ASCII, without spaces."""
    return json.dumps(values, separators=(",", ":")).encode() + b"\n"


def text(*ids: str) -> bytes:
    """Return the lines of rows with these ids."""
    return b"".join(line(row(arxiv_id)) for arxiv_id in ids)
