"""The XML of arXiv's OAI-PMH server since March 2025, its odd white space included."""

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from xml.sax import saxutils

from arxiv_server.papers.library import Version, Work
from arxiv_server.services.sets import list_sets, sets_of

ID_PREFIX = "oai:arXiv.org:"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_OAI = "http://www.openarchives.org/OAI/2.0/"
_RAW = "http://arxiv.org/OAI/arXivRaw/"
_RAW_SCHEMA = "https://oaipmh.arxiv.org/OAI/arXivRaw.xsd"

_ERRORS = {
    "badArgument": (
        "The request includes illegal arguments, is missing required arguments, includes a "
        "repeated argument, or values for arguments have an illegal syntax."
    ),
    "badResumptionToken": "The value of the resumptionToken argument is invalid or expired.",
    "badVerb": (
        "Value of the verb argument is not a legal OAI-PMH verb, the verb argument is missing, "
        "or the verb argument is repeated."
    ),
    "cannotDisseminateFormat": (
        "The metadata format identified by the value given for the metadataPrefix argument is "
        "not supported by the item or by the repository."
    ),
    "idDoesNotExist": (
        "The value of the identifier argument is unknown or illegal in this repository."
    ),
    "noRecordsMatch": (
        "The combination of the values of the from, until, set and metadataPrefix arguments "
        "results in an empty list."
    ),
}


def escape(text: str) -> str:
    """Escape text as arXiv does, quotes included."""
    return saxutils.escape(text, {"'": "&#39;", '"': "&#34;"})


def envelope(base_url: str, today: date, request: Mapping[str, str], interior: str) -> str:
    """
    Wrap a reply.

    Its hour is always the same, an hour of a nightly run, so that replies can be compared.
    """
    # arXiv quotes the attributes of a resumption with apostrophes.
    quote = "'" if "resumptionToken" in request else '"'
    attributes = "".join(
        f" {name}={quote}{escape(value)}{quote}" for name, value in request.items()
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<OAI-PMH xmlns="{_OAI}"{" "}
         xmlns:xsi="{_XSI}"
         xsi:schemaLocation="{_OAI} {_OAI}OAI-PMH.xsd">
    <responseDate>{today}T05:10:00Z</responseDate>
                <request{attributes}>{base_url}</request>


{interior}
</OAI-PMH>"""


def error(code: str, reason: str | None) -> str:
    """Render an error by its code; `noRecordsMatch` has no reason."""
    text = _ERRORS[code] if reason is None else f"{_ERRORS[code]} Reason: {reason}"
    return f"    <error code='{code}'>{escape(text)}</error>"


def header(work: Work) -> str:
    """Render a record's header."""
    sets = "\n".join(f"            <setSpec>{spec}</setSpec>" for spec in sets_of(work.categories))
    return f"""                <header>
        <identifier>{ID_PREFIX}{work.id}</identifier>
        <datestamp>{work.datestamp}</datestamp>
{sets}
    </header>
"""


def record(work: Work) -> str:
    """Render a record with its arXivRaw metadata."""
    optional = {
        "comments": work.comments,
        "report-no": work.report_no,
        "journal-ref": work.journal_ref,
        "doi": work.doi,
        "license": work.license,
        "abstract": work.abstract,
    }
    fields = "".join(
        f"            <{name}>{escape(value)}</{name}>\n"
        for name, value in optional.items()
        if value is not None
    )
    return f"""<record>
{header(work)}
            <metadata>
                        <arXivRaw xmlns="{_RAW}" xmlns:xsi="{_XSI}" \
xsi:schemaLocation="{_RAW} {_RAW_SCHEMA}">
        <id>{work.id}</id>
        <submitter>{escape(work.submitter)}</submitter>
{"".join(_version(version) for version in work.versions)}\
        <title>{escape(work.title)}</title>
        <authors>{escape(work.authors)}</authors>
        <categories>{" ".join(work.categories)}</categories>
{fields}    </arXivRaw>

            </metadata>
        </record>
"""


def _version(version: Version) -> str:
    source = version.source_type
    source_type = f"                    <source_type>{source}</source_type>\n" if source else ""
    return f"""            <version version="v{version.number}">
                <date>{version.created:%a, %d %b %Y %H:%M:%S} GMT</date>
                <size>{version.size}kb</size>
{source_type}            </version>
"""


def records(works: Iterable[Work], token: str) -> str:
    """Render the interior of ListRecords."""
    listed = "\n".join(f"                    {record(work)}" for work in works)
    return f"    <ListRecords>\n{listed}\n{token}    </ListRecords>"


def identifiers(works: Iterable[Work], token: str) -> str:
    """Render the interior of ListIdentifiers."""
    listed = "\n".join(header(work) for work in works)
    return f"    <ListIdentifiers>\n{listed}\n{token}    </ListIdentifiers>"


def resumption(token: str, today: date) -> str:
    """Render a resumption token; an empty one marks the last page of several."""
    if not token:
        return "                    <resumptionToken/>\n\n"
    expires = f"expirationDate='{today + timedelta(days=1)}T00:00:00Z'"
    return f"                    <resumptionToken {expires}>{token}</resumptionToken>\n\n"


def sets() -> str:
    """Render the interior of ListSets."""
    listed = "\n".join(
        f"                <set>\n        <setSpec>{spec}</setSpec>\n"
        f"        <setName>{escape(name)}</setName>\n    </set>\n"
        for spec, name in list_sets()
    )
    return f"    <ListSets>\n{listed}\n    </ListSets>"


def formats() -> str:
    """Render the interior of ListMetadataFormats: arXivRaw is the one this server has."""
    return f"""    <ListMetadataFormats>
                <metadataFormat>
    <metadataPrefix>arXivRaw</metadataPrefix>
    <schema>{_RAW_SCHEMA}</schema>
    <metadataNamespace>{_RAW}</metadataNamespace>
</metadataFormat>

    </ListMetadataFormats>"""


def identify(base_url: str) -> str:
    """Render the interior of Identify, without the policies of its description."""
    return f"""    <Identify>
        <repositoryName>arXiv</repositoryName>
        <baseURL>{base_url}</baseURL>
        <protocolVersion>2.0</protocolVersion>
        <adminEmail>help@example.org</adminEmail>
        <earliestDatestamp>2005-09-16</earliestDatestamp>
        <deletedRecord>persistent</deletedRecord>
        <granularity>YYYY-MM-DD</granularity>
    </Identify>"""
