"""MkDocs' hooks: pages that lie above docs/, and links to what is no page."""

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
PAGES = {
    "README.md": "index.md",
    "SECURITY.md": "security.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
}
"""Files of the top level, and the pages that they are."""

_SHIM_ELSEWHERE = "https://unpkg.com/iframe-worker/shim"
_SHIM = "assets/iframe-worker.js"
"""What the theme loads from elsewhere to search a site on a disk; it lies here instead."""

_LINK = re.compile(r"(!?)\[([^\]]*)\]\((?!https?:|mailto:|#)([^)#\s]+)(#[^)]*)?\)")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie above docs/."""
    for source, page in PAGES.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=relink(text, ROOT)))
    shim = (ROOT / "docs" / "tools" / "iframe-worker.js").read_text(encoding="utf-8")
    files.append(File.generated(config, _SHIM, content=shim))
    return files


def on_post_page(output: str, **_: object) -> str:
    """Return a page that loads nothing from elsewhere."""
    return output.replace(_SHIM_ELSEWHERE, _SHIM)


def on_post_template(output_content: str, **_: object) -> str:
    """Return a page without text of its own, such as that of a wrong address, likewise."""
    return on_post_page(output_content)


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Return the page's text with its links as the site has them."""
    if page.file.src_uri in PAGES.values():
        return markdown
    return relink(markdown, ROOT / "docs")


def relink(text: str, folder: Path) -> str:
    """Return `text`, of a file in `folder`, with links to pages; other links are words alone."""

    def link(found: re.Match[str]) -> str:
        picture, words, target, anchor = found.groups()
        path = (folder / target).resolve().relative_to(ROOT)
        if str(path) in PAGES:
            return f"[{words}]({PAGES[str(path)]}{anchor or ''})"
        if path.parts[0] == "docs":
            return f"{picture}[{words}]({path.relative_to('docs')}{anchor or ''})"
        return words

    return _LINK.sub(link, text)
