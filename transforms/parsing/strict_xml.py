"""Reading XML that nobody vouches for: whole, in UTF-8, in time and memory linear in its bytes."""

import re

from lxml import etree

MAX_MARKUP = 1_000_000
"""Characters `<` and `=`. Each may begin a node of 600 bytes of memory, for five bytes of XML.
A page of 2,000 records has about 110,000 of them, a list of 20,000 ids 280,000."""

_MAX_CAUSE = 200
_DOCTYPE = "<!DOCTYPE"
_HAS_DOCTYPE = "a document type declaration, which no reply of arXiv has"
_SKIPPED = {b"<!--": b"-->", b"<![CDATA[": b"]]>", b"<?": b"?>"}
_REST_OF_TAG = re.compile(rb"(?:[^>\"']++|\"[^\"]*+\"|'[^']*+')*+>")


class NotStrictXmlError(ValueError):
    """Not XML, not whole, or more than XML that is only data needs; the message says what."""


def parse_xml(data: bytes) -> etree._Element:
    """Return the root element, parsed strictly: UTF-8, no entities, no DTD, no network.

    Whitespace between elements is dropped. Libxml2's own limits are kept. Raises
    `NotStrictXmlError`. Read what comes of it by `find` and `iterchildren`, which compare tags
    where they are: `.tag` copies an element's namespace, and who may name one of a megabyte for
    100,000 elements makes the copies quadratic.
    """
    if _DOCTYPE.encode() in data:
        raise NotStrictXmlError(_HAS_DOCTYPE)
    if data.count(b"<") + data.count(b"=") > MAX_MARKUP:
        raise NotStrictXmlError(f"more than {MAX_MARKUP} tags and attributes")
    # The nodes of whitespace between elements would be half of all, and a quarter of the time.
    parser = etree.XMLParser(
        encoding="UTF-8", resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
        remove_blank_text=True, collect_ids=False,
    )  # fmt: skip
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise NotStrictXmlError(_why_not(data, error)) from None


def _why_not(data: bytes, error: etree.XMLSyntaxError) -> str:
    if not data.strip():
        return "empty"
    if any(_DOCTYPE.encode(encoding) in data for encoding in ("utf-16-le", "utf-16-be")):
        return _HAS_DOCTYPE
    return f"not whole or not well-formed XML: {str(error.msg)[:_MAX_CAUSE]}"


def element_spans(data: bytes, name: str) -> list[bytes]:
    """Return the source of each element `name`, of any prefix, that is in no other of its name.

    `data` is what `parse_xml` took, so every comment, tag and quote has an end, and no place is
    looked at twice.
    """
    opening = re.compile(
        rb"<(?:!--|!\[CDATA\[|\?|(?P<end>/?)(?:[^\s<>/:!?]++:)?%s(?=[\s/>]))" % name.encode()
    )
    spans: list[bytes] = []
    at = start = depth = 0
    while found := opening.search(data, at):
        closing = _SKIPPED.get(found[0])
        if closing:
            at = data.index(closing, found.end()) + len(closing)
            continue
        if not depth:
            start = found.start()
        at = _end_of_tag(data, found.end())
        depth += -1 if found["end"] else data[at - 2 : at] != b"/>"
        if not depth:
            spans.append(data[start:at])
    return spans


def _end_of_tag(data: bytes, at: int) -> int:
    rest = _REST_OF_TAG.match(data, at)
    if rest is None:
        raise NotStrictXmlError("a tag without an end")
    return rest.end()
