"""The verifier's modules in a browser, called by a test."""

import json
from typing import Any

from playwright.sync_api import Page

from support.browser.site import Document, Site
from support.javascript.agreement import PINNED, Documents, framed

_VERIFY = """async (keys) => {
  const { verifyBundle } = await import("/static/verify.js");
  const pinned = keys.map((key) => Uint8Array.from(key));
  const input = await (await fetch("/documents")).arrayBuffer();
  const reports = [];
  for (let at = 0; at < input.byteLength; ) {
    const length = new DataView(input).getUint32(at);
    const data = new Uint8Array(input, at + 4, length);
    reports.push(await verifyBundle(data, pinned));
    at += 4 + length;
  }
  return JSON.stringify(reports);
}"""

_CALL = """async (calls) => {
  const results = [];
  for (const [module, name, ...values] of calls) {
    const { [name]: called } = await import(`/static/${module}`);
    const given = values.map((value) =>
      value !== null && typeof value === "object" && "hex" in value
        ? Uint8Array.from(value.hex.match(/../g), (byte) => parseInt(byte, 16))
        : value);
    results.push(await called(...given));
  }
  return JSON.stringify(results);
}"""


def reports_of(page: Page, site: Site, documents: Documents) -> list[Any]:
    """Return what the verifier says of documents, in any page of the site."""
    site.documents["/documents"] = Document(framed(documents), "application/octet-stream")
    reports: list[Any] = json.loads(page.evaluate(_VERIFY, [list(key) for key in PINNED]))
    return reports


def results_of(page: Page, calls: list[list[Any]]) -> list[Any]:
    """Return what functions of the verifier's modules give, in any page of the site."""
    results: list[Any] = json.loads(page.evaluate(_CALL, calls))
    return results
