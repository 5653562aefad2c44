/* Where a bundle is that somebody asks for, and fetching it. */

import { MAX_BYTES } from "../verify/strict-json.js";
import { printable } from "../ui/elements.js";
import { firstBytes } from "./first-bytes.js";
import { NotInPacks, packedBundle } from "./packs.js";

const NUMBER = /^(?:pith:)?(?:([0-9]{4}):)?([a-z2-7]{8,26})$/i;
const RECORD = /^(.*\/pith\/([A-Za-z2-7]+))(?:\/(?:bundle\.json)?)?$/;
const BUNDLE = /^(.*)\/pith\/([A-Z2-7]+)\/bundle\.json$/;
const MAX_SECONDS = 60;

/* What keeps a bundle from being fetched, in one sentence. */
export class CannotFetch extends Error {}

/* Return { url, asked } of a Pith number in a registry, or of an address.

   `asked` is what the number of the bundle must be: { year, suffix }, the year or both null where
   nothing was said, the suffix perhaps only its beginning. */
export function bundleAddress(text, registry) {
  const given = text.trim();
  const number = NUMBER.exec(given);
  if (number) {
    const suffix = number[2].toUpperCase();
    const base = webAddress(registry).href.replace(/\/+$/, "");
    return { url: `${base}/pith/${suffix}/bundle.json`, asked: { year: number[1] ?? null, suffix } };
  }
  const url = webAddress(given);
  const record = RECORD.exec(url.pathname);
  if (record) url.pathname = `${record[1]}/bundle.json`;
  if (!url.pathname.endsWith(".json")) {
    throw new CannotFetch("A bundle's address ends in /pith/, its suffix and /bundle.json.");
  }
  return { url: url.href, asked: { year: null, suffix: record ? record[2].toUpperCase() : null } };
}

/* Return whether a bundle's number is the one that was asked for. */
export function isAsked({ year, suffix }, number) {
  const [, itsYear, itsSuffix] = (number ?? "").split(":");
  return (year === null || year === itsYear) && (itsSuffix ?? "").startsWith(suffix ?? "");
}

function webAddress(text) {
  const url = URL.canParse(text.trim()) ? new URL(text.trim()) : null;
  if (url === null || url.protocol === "pith:") {
    throw new CannotFetch("Give a Pith number such as pith:2019:… with its 26 letters and digits, " +
      "or at least their first 8, or an address that begins with https://.");
  }
  if (!["https:", "http:"].includes(url.protocol) || url.username || url.password) {
    throw new CannotFetch("Only addresses that begin with https:// or http://, without a user's " +
      "name, are fetched.");
  }
  url.hash = "";
  return url;
}

/* Return the bytes at an address as a Blob, or throw `CannotFetch`; no more than a bundle may have
   are read, and one. No cookie goes there, nor the address of this page. */
export async function fetchBundle(url) {
  const { host } = new URL(url);
  const signal = AbortSignal.timeout(MAX_SECONDS * 1000);
  const init = { signal, credentials: "omit", referrerPolicy: "no-referrer" };
  try {
    const response = await fetch(url, { ...init, cache: "no-cache" });
    if (response.ok) return await firstBytes(response.body, MAX_BYTES);
    const packed = response.status === 404 ? await outOfPacks(url, init) : null;
    if (packed) return packed.blob;
    throw new CannotFetch(refusal(response.status, printable(host)));
  } catch (error) {
    if (error instanceof CannotFetch) throw error;
    if (error instanceof NotInPacks) {
      throw new CannotFetch(refusal(error.status, printable(host)));
    }
    throw new CannotFetch(signal.aborted
      ? `${printable(host)} took longer than ${MAX_SECONDS} seconds; ask it again later.`
      : `${printable(host)} could not be read: it does not answer, or does not let pages of ` +
        "other sites read it (CORS); download the file and drop it here.");
  }
}

/* Return the bundle of a registry that is published in packs, null where it is not. */
async function outOfPacks(url, init) {
  const bundle = BUNDLE.exec(url);
  return bundle && packedBundle(bundle[1], bundle[2], init);
}

function refusal(status, host) {
  if (status === 404) return `${host} has no such record (404); see whether the number is whole.`;
  if (status === 300) return `${host} has several records that begin so; give more of the number.`;
  return `${host} answered with the status ${status} instead of a bundle; ask it again later.`;
}
