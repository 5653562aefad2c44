"""Pages for people: the plainest that serve, until the site takes their place."""

from html import escape

from transforms.documents.bundle import Bundle
from transforms.registry.addresses import record_addresses
from transforms.registry.record_document import record_document

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>{more}</head>
<body><main><h1>{title}</h1>{content}</main></body></html>
"""


def record_page(bundle: Bundle, base_url: str) -> bytes:
    """Return the page of a record, in UTF-8."""
    paper = record_document(bundle, base_url=base_url)["paper"]
    title = paper["title"] if paper else bundle["pith_number"]
    suffix = bundle["pith_number"].rpartition(":")[2]
    paths = record_addresses("", suffix)
    links = "".join(
        f'<li><a href="{escape(path)}">{escape(path)}</a></li>'
        for path in (paths.record, paths.bundle, paths.state)
    )
    content = f"<p>{escape(bundle['pith_number'])}</p><ul>{links}</ul>"
    canonical = escape(record_addresses(base_url, suffix).page)
    return _page(title, content, f'<link rel="canonical" href="{canonical}">')


def home_page(name: str) -> bytes:
    """Return the page of the registry, in UTF-8."""
    return _page(name, '<p><a href="/pith-mirrors.json">/pith-mirrors.json</a></p>')


def _page(title: str, content: str, more: str = "") -> bytes:
    return _PAGE.format(title=escape(title), content=content, more=more).encode()
