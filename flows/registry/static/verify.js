/* Verifies a Pith open graph bundle, in a browser or in Node 20 and later, without dependencies.

   import { verifyBundle } from "./verify.js";
   const report = await verifyBundle(bytes, [publicKey]);   // Uint8Array; 32 bytes each

   It makes the checks of `pith-ingest verify`, under the same names and with the same outcomes,
   from the rules in docs/format.md, whose sections the comments name. Nothing is sent anywhere. */

import { canonicalJson, sha256 } from "./verify/canonical.js";
import { Unreadable, run } from "./verify/outcomes.js";
import { ofParts } from "./verify/part-checks.js";
import { recomputed } from "./verify/recomputed-checks.js";
import { readJson } from "./verify/strict-json.js";
import { Subject } from "./verify/subject.js";
import { encodeBase64, isObject, isText, without } from "./verify/values.js";

const CHECKS = [...Object.entries(recomputed), ...Object.entries(ofParts)];

/* Check the bytes of a bundle file, and its keys against `pinned` ones (raw 32 bytes each).

   Return { pith_number, valid, trusted, unreadable, checks: [{ name, outcome, detail }],
   signers: [{ fingerprint, public_key }] }, where an outcome is "pass", "fail" or "could not check"
   and the signers of a valid bundle are all whose signatures are in it. Any input gives a report. */
export async function verifyBundle(data, pinned = []) {
  try {
    const report = await verifyDocument(readBundle(data));
    return { ...report, trusted: isTrusted(report, new Set(pinned.map(encodeBase64))) };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return nothingFound(error.message);
  }
}

/* Return the report on what could not be read, for that reason. */
export function nothingFound(unreadable) {
  return { pith_number: null, valid: false, trusted: false, unreadable, checks: [], signers: [] };
}

/* Return the JSON of a bundle file, or throw `Unreadable`. */
export function readBundle(data) {
  const bundle = readJson(data);
  if (!isObject(bundle) || bundle.bundle_type !== "pith_open_graph_bundle") {
    throw new Unreadable("JSON, but not a Pith bundle");
  }
  return bundle;
}

/* Return the report on what `readBundle` gave, with no key trusted. */
export async function verifyDocument(bundle) {
  const pith_number = isText(bundle.pith_number) ? bundle.pith_number : null;
  const hasForm = await run("canonical_json", () => canonicalJson(bundle), null);
  if (hasForm.outcome !== "pass") {
    const others = CHECKS.map(([name]) =>
      ({ name, outcome: "could not check", detail: "not canonical JSON" }));
    return { ...nothingFound(null), pith_number, checks: [hasForm, ...others] };
  }
  const digest = await sha256(canonicalJson(without(bundle, "bundle_signature")));
  const subject = new Subject(bundle, digest);
  const checks = [hasForm];
  for (const [name, check] of CHECKS) checks.push(await run(name, check, subject));
  const valid = checks.every((check) => check.outcome !== "fail");
  const signers = valid ? await subject.signers() : [];
  return { ...nothingFound(null), pith_number, valid, checks, signers };
}

/* Return whether a bundle is valid and each key that signed in it is among `pinned` (base64). */
export function isTrusted({ valid, signers }, pinned) {
  return valid && signers.every((signer) => pinned.has(signer.public_key));
}
