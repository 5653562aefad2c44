/* A worker that verifies each Blob that it is sent, and answers with { report, facts }. */

import { nothingFound, readBundle, verifyDocument } from "../verify.js";
import { Unreadable } from "../verify/outcomes.js";
import { MAX_BYTES } from "../verify/strict-json.js";
import { isText } from "../verify/values.js";

const LONGEST_FACT = 1000;

addEventListener("message", async ({ data }) => postMessage(await examined(data)));

async function examined(blob) {
  try {
    // Of a file that is too large, only that it is.
    const bytes = new Uint8Array(await blob.slice(0, MAX_BYTES + 1).arrayBuffer());
    const bundle = readBundle(bytes);
    const report = await verifyDocument(bundle);
    return { report, facts: report.valid ? factsOf(bundle) : {} };
  } catch (error) {
    return { report: nothingFound(whyUnread(error)), facts: {} };
  }
}

function whyUnread(error) {
  if (error instanceof Unreadable) return error.message;
  if (error instanceof DOMException) return "the file cannot be read, or has changed meanwhile";
  return `this browser could not check it: ${error.message}`;
}

/* Return what to show of a valid bundle: texts by name, each cut short. */
function factsOf(bundle) {
  const { source, metadata } = bundle.canonical_record;
  const standing = bundle.state.current.graph_snapshots.at(-1);
  const paper = standing?.payload.graph_snapshot.paper ?? {};
  const facts = {
    "Pith number": bundle.pith_number,
    Title: paper.title,
    Authors: paper.authors_text,
    "arXiv": `${source.id} v${source.version}`,
    Categories: [metadata.primary_cat, ...metadata.cross_cats_sorted].join(" "),
    Licence: metadata.license || "none given",
    "First version": metadata.submitted_at,
    "Bundle signed": bundle.bundle_signature.signed_at,
    Published: bundle.links.resolver,
  };
  return Object.fromEntries(Object.entries(facts)
    .filter(([, text]) => isText(text))
    .map(([name, text]) => [name, text.slice(0, LONGEST_FACT)]));
}
