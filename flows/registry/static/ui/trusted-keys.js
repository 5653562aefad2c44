/* The keys that the visitor trusts, kept by this browser for this site, as `pith-ingest trust` keeps
   its own: { version: 1, keys: [{ public_key, added_at, source }] }, the key in base64. */

import { sha256 } from "../verify/canonical.js";
import { isUsablePoint } from "../verify/signatures.js";
import { decodeBase64, encodeBase64, hex, isObject, isText } from "../verify/values.js";

const NAME = "pith.trusted-keys";
const KEY_BYTES = 32;
const LONGEST_SOURCE = 200;

/* The keys of the visitor; `changed` is called when they change, in another tab too. */
export class TrustedKeys {
  #changed;
  #keys;
  /* Why the keys of before are not known or new ones will not be kept, in one sentence, or null. */
  trouble = null;

  constructor(changed) {
    this.#changed = changed;
    this.#keys = this.#read();
    addEventListener("storage", ({ key }) => {
      if (key !== NAME && key !== null) return;
      this.#keys = this.#read();
      changed();
    });
  }

  get all() {
    return [...this.#keys];
  }

  /* The keys in base64. */
  get pinned() {
    return new Set(this.#keys.map((key) => key.public_key));
  }

  add(public_key, source) {
    const added_at = `${new Date().toISOString().slice(0, 19)}Z`;
    const others = this.#read().filter((key) => key.public_key !== public_key);
    this.#keep([...others, { public_key, added_at, source: source.slice(0, LONGEST_SOURCE) }]);
  }

  remove(public_key) {
    this.#keep(this.#read().filter((key) => key.public_key !== public_key));
  }

  #read() {
    let text;
    try {
      text = localStorage.getItem(NAME);
    } catch {
      this.trouble = "This browser keeps nothing for this site: keys are trusted until you leave.";
      return this.#keys ?? [];
    }
    this.trouble = null;
    const saved = text === null ? [] : savedKeys(text);
    if (saved) return saved;
    this.trouble = "The list of trusted keys in this browser is damaged and counts as empty; " +
      "adding a key begins it anew.";
    return [];
  }

  #keep(keys) {
    try {
      localStorage.setItem(NAME, JSON.stringify({ version: 1, keys }));
      this.trouble = null;
    } catch {
      this.trouble = "This browser keeps nothing for this site: keys are trusted until you leave.";
    }
    this.#keys = keys;
    this.#changed();
  }
}

function savedKeys(text) {
  try {
    const { version, keys } = JSON.parse(text);
    return version === 1 && keys.every(isSaved) ? keys : null;
  } catch {
    return null;
  }
}

function isSaved(key) {
  return isObject(key) && isText(key.added_at) && isText(key.source) &&
    decodeBase64(key.public_key, KEY_BYTES) !== null;
}

/* Return a public key that somebody pasted, in base64 or hex, as base64; or null if it is none. */
export function pastedKey(text) {
  const given = text.trim();
  const bytes = /^[0-9a-f]{64}$/i.test(given)
    ? Uint8Array.from(given.match(/../g), (byte) => parseInt(byte, 16))
    : decodeBase64(given, KEY_BYTES);
  return bytes && isUsablePoint(bytes) ? encodeBase64(bytes) : null;
}

/* Return a key's fingerprint: the first 32 hex digits of its SHA-256. */
export async function fingerprintOf(public_key) {
  return hex(await sha256(decodeBase64(public_key, KEY_BYTES))).slice(0, 32);
}
