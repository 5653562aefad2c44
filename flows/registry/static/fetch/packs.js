/* Reading a bundle out of the packs of a published registry; docs/registry.md has the layout. */

import { MAX_BYTES } from "../verify/strict-json.js";
import { base32 } from "../verify/values.js";
import { firstBytes } from "./first-bytes.js";

const PREFIX_CHARACTERS = 2;
const KEY_BYTES = 15;
const ENTRY_BYTES = 25;

/* What keeps a record from being read, in one sentence; `status` is what a server would answer. */
export class NotInPacks extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/* Return { suffix, blob } of the bundle whose suffix begins with `start` (8 characters or more), or
   null where the registry below `base` is not published in packs. `init` goes to each `fetch`. */
export async function packedBundle(base, start, init = {}) {
  const state = await published(base, init);
  if (state === null) return null;
  const found = await placesOf(base, state, start, init);
  if (!found.length) throw new NotInPacks(`no record has a suffix that begins ${start}`, 404);
  if (found.length > 1) throw new NotInPacks(`${found.length} records begin ${start}`, 300);
  const [{ suffix, pack, offset, length }] = found;
  const member = await range(`${base}/${state.packs[pack]}`, offset, length, init);
  return { suffix, blob: await unpacked(member) };
}

async function published(base, init) {
  const asked = fetch(`${base}/pith-publish.json`, { ...init, cache: "no-cache" });
  const response = await asked.catch(() => null);
  if (!response?.ok) return null;
  const state = await response.json().catch(() => null);
  return state?.publish_version === 1 && state.layout === "packs" ? state : null;
}

/* Return suffix and place of each bundle whose suffix begins so, out of the one index of them. */
async function placesOf(base, state, start, init) {
  const key = state.indexes[start.slice(0, PREFIX_CHARACTERS)];
  if (key === undefined) return [];
  const response = await fetch(`${base}/${key}`, init);
  if (!response.ok) throw new NotInPacks(`the index ${key} is not there`, response.status);
  const data = await response.arrayBuffer();
  const found = [];
  for (let at = 0; at + ENTRY_BYTES <= data.byteLength; at += ENTRY_BYTES) {
    const suffix = start.slice(0, PREFIX_CHARACTERS) + base32(new Uint8Array(data, at, KEY_BYTES));
    if (!suffix.startsWith(start)) continue;
    const entry = new DataView(data, at + KEY_BYTES);
    const [pack, offset, length] = [entry.getUint16(0), entry.getUint32(2), entry.getUint32(6)];
    found.push({ suffix, pack, offset, length });
  }
  return found;
}

/* Return a part of a file. A server without ranges sends all of it, which is read until there. */
async function range(url, offset, length, init) {
  const headers = { Range: `bytes=${offset}-${offset + length - 1}` };
  const response = await fetch(url, { ...init, headers });
  if (!response.ok) throw new NotInPacks(`the pack ${url} is not there`, response.status);
  const start = response.status === 206 ? 0 : offset;
  const blob = await firstBytes(response.body, start + length);
  return blob.slice(start, start + length);
}

/* Return what a gzip member holds as a Blob, no more than a bundle may have, and some. */
const unpacked = (member) =>
  firstBytes(member.stream().pipeThrough(new DecompressionStream("gzip")), MAX_BYTES);
