"""Composing arXivRaw replies for tests, in arXiv's layout."""

from xml.sax.saxutils import escape

OPEN = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">\n'
    "<responseDate>2026-11-01T05:30:00Z</responseDate>\n"
    '<request verb="ListRecords">https://oaipmh.arxiv.org/oai</request>\n'
)
CLOSE = "</OAI-PMH>\n"
DATE = "Tue, 03 Mar 2009 04:22:14 GMT"


def version(number: int, date: str = DATE, size: str = "16kb", source_type: str = "") -> str:
    kind = f"<source_type>{source_type}</source_type>" if source_type else ""
    return f'<version version="v{number}"><date>{date}</date><size>{size}</size>{kind}</version>'


def record(arxiv_id: str = "0903.0442", *, datestamp: str = "2011-02-03", **fields: str) -> str:
    """Compose a whole record; a field given as `""` is left out, `versions` is raw XML."""
    values = {
        "submitter": "A. Submitter",
        "versions": version(1),
        "title": f"A title of {arxiv_id}",
        "authors": "A. One and B. Two",
        "categories": "cs.LG stat.ML",
        "license": "http://arxiv.org/licenses/nonexclusive-distrib/1.0/",
        "abstract": f"An abstract of {arxiv_id}.",
    } | fields
    versions = values.pop("versions")
    elements = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in values.items() if text)
    return (
        "<record>\n<header>"
        f"<identifier>oai:arXiv.org:{arxiv_id}</identifier><datestamp>{datestamp}</datestamp>"
        "<setSpec>cs:cs:LG</setSpec></header>\n<metadata>"
        f'<arXivRaw xmlns="http://arxiv.org/OAI/arXivRaw/"><id>{arxiv_id}</id>'
        f"{versions}{elements}</arXivRaw></metadata>\n</record>\n"
    )


def page(*records: str, token: str | None = None) -> bytes:
    """Compose a ListRecords reply; `token` None leaves the element out."""
    last = "" if token is None else f"<resumptionToken>{escape(token)}</resumptionToken>"
    return f"{OPEN}<ListRecords>\n{''.join(records)}{last}</ListRecords>\n{CLOSE}".encode()


def error(code: str, message: str = "") -> bytes:
    return f"{OPEN}<error code='{code}'>{message}</error>{CLOSE}".encode()
