"""The page `verify` as a visitor uses it."""

from base64 import b64encode
from typing import Any

from playwright.sync_api import FilePayload, Page, expect

from support.browser.site import Site

_DROP = """(files) => {
  const transfer = new DataTransfer();
  for (const [name, data] of files) {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    transfer.items.add(new File([bytes], name));
  }
  const options = { dataTransfer: transfer, bubbles: true, cancelable: true };
  for (const name of ["dragover", "drop"]) {
    document.getElementById("drop").dispatchEvent(new DragEvent(name, options));
  }
}"""
_FRAMES = """() => {
  window.framesDrawn = 0;
  const draw = () => { window.framesDrawn += 1; requestAnimationFrame(draw); };
  draw();
}"""


def open_verify(page: Page, site: Site) -> None:
    """Open the page and wait until it can be used."""
    page.goto(f"{site.url}/verify")
    expect(page.locator("#verify")).to_be_visible()


def payload(name: str, data: bytes) -> FilePayload:
    """Return a file as it is given to an input."""
    return {"name": name, "mimeType": "application/json", "buffer": data}


def choose(page: Page, *files: FilePayload) -> None:
    """Choose files in the page."""
    page.set_input_files("#files", list(files))


def drop(page: Page, files: dict[str, bytes]) -> None:
    """Drop files on the page."""
    page.evaluate(_DROP, [[name, b64encode(data).decode()] for name, data in files.items()])


def checks_shown(page: Page) -> list[Any]:
    """Return name and outcome of each check in the report that is shown."""
    rows = page.locator(".checks tbody tr").all()
    return [[row.get_attribute("data-check"), row.get_attribute("data-outcome")] for row in rows]


def count_frames(page: Page) -> None:
    """Let the page count the frames that it draws, in `framesDrawn`."""
    page.evaluate(_FRAMES)
