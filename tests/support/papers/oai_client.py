"""Asking an OAI server as a client does that trusts it."""

from datetime import date

import httpx
from arxiv_server import ArxivServer
from lxml import etree

DAY = date(2026, 3, 2)
TODAY = date(2026, 3, 10)
"""The day on which all papers of the imitation changed, and the day that it has."""

OAI = "{http://www.openarchives.org/OAI/2.0/}"
RAW = "{http://arxiv.org/OAI/arXivRaw/}"
RAW_FORMAT = {"metadataPrefix": "arXivRaw"}


def ask(client: httpx.Client, server: ArxivServer, **query: str) -> etree._Element:
    """Ask and parse strictly; `from_` stands for `from`."""
    params = {name.rstrip("_"): value for name, value in query.items()}
    reply = client.get(server.oai_url, params=params)
    assert reply.status_code == 200
    return etree.fromstring(reply.content)


def records(client: httpx.Client, server: ArxivServer, **query: str) -> etree._Element:
    """Ask for records in arXivRaw."""
    return ask(client, server, verb="ListRecords", **RAW_FORMAT, **query)


def ids(page: etree._Element) -> list[str]:
    """Return the papers of a reply."""
    found = [node.text or "" for node in page.iter(f"{OAI}identifier")]
    return [text.removeprefix("oai:arXiv.org:") for text in found]


def harvest(
    client: httpx.Client, server: ArxivServer, verb: str = "ListRecords", **query: str
) -> list[str]:
    """Follow the tokens to the end, as a client does that trusts them."""
    page = ask(client, server, verb=verb, **RAW_FORMAT, **query)
    found = ids(page)
    while token := page.findtext(f".//{OAI}resumptionToken"):
        page = ask(client, server, verb=verb, resumptionToken=token)
        found += ids(page)
    return found


def code(page: etree._Element) -> str | None:
    """Return the code of an OAI error."""
    error = page.find(f"{OAI}error")
    return None if error is None else error.get("code")
