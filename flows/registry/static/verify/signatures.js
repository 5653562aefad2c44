/* Keys, and what they signed (section 3 of docs/format.md): Ed25519 as in RFC 8032, section 5.1.7,
   without the cofactor, and no point of small order nor a second spelling of one. */

import { sha256 } from "./canonical.js";
import { base32, decodeBase64, encodeBase64, hex, isObject, isText } from "./values.js";

const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);

/* The published key of pith.science: any would do to see whether this browser takes one. */
const PITH_SCIENCE_KEY = "stVStoiQhXFxp4s2pdzPNoqVNBMojDU/fJ2db5S3CbM=";

const FIELD = 2n ** 255n - 19n;
const GROUP = 2n ** 252n + 27742317777372353535851937790883648493n;

const littleEndian = (bytes) => BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`);

/* Return whether 32 bytes are no point of small order, nor a second spelling of one. */
export function isUsablePoint(bytes) {
  const y = Uint8Array.from(bytes);
  y[31] &= 0x7f; // without the sign of x
  return littleEndian(y) < FIELD && !SMALL_ORDER.has(hex(y));
}

export async function isSignedBy(key, message, signature) {
  const isStrict = isUsablePoint(key) && isUsablePoint(signature.slice(0, 32));
  if (!isStrict || littleEndian(signature.slice(32)) >= GROUP) return false;
  const imported = await importKey(key);
  return imported !== null && crypto.subtle.verify("Ed25519", imported, signature, message);
}

/* Return a key as the browser takes it, or null if it is no point of the curve. */
async function importKey(key) {
  try {
    return await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
  } catch (error) {
    if (error.name === "DataError") return null;
    throw error;
  }
}

/* Return why nothing can be verified here, in one sentence, or null if it can. */
export async function whyUnable() {
  if (!globalThis.crypto?.subtle) {
    return "A browser verifies only on a page that came over https or from this machine itself; " +
      "open this page so, or use the command 'pith-ingest verify'.";
  }
  try {
    await importKey(decodeBase64(PITH_SCIENCE_KEY, 32));
    return null;
  } catch {
    return "This browser has no Ed25519, with which bundles are signed; Chromium has it from 137, " +
      "Firefox from 129 and Safari from 17, and the command 'pith-ingest verify' needs no browser.";
  }
}

export async function keyFacts(key) {
  const digest = await sha256(key);
  return {
    algorithm: "ed25519",
    format: "raw",
    public_key_b64: encodeBase64(key),
    public_key_hex: hex(key),
    fingerprint_sha256_b32_first128bits: base32(digest),
    fingerprint_sha256_hex: hex(digest).slice(0, 32),
  };
}

export const keyName = (keyId, fingerprint) => `${fingerprint} ${keyId}`;

/* Return the usable keys of a bundle's list: by name, in the order of the list. */
export async function listedKeys(entries) {
  const keys = new Map();
  for (const entry of entries) {
    const isOne = isObject(entry) && entry.algorithm === "ed25519" && isText(entry.key_id);
    const raw = isOne ? decodeBase64(entry.public_key_b64, 32) : null;
    if (!raw) continue;
    const fingerprint = hex(await sha256(raw)).slice(0, 32);
    if (entry.fingerprint_sha256_hex === fingerprint) {
      keys.set(keyName(entry.key_id, fingerprint), { raw, keyId: entry.key_id, fingerprint });
    }
  }
  return keys;
}

export async function whyNotSigned(signature, digest, message, keys) {
  if (!isObject(signature)) return "no signature";
  const { algorithm, signature_status, signed_message, key_id, public_key_fingerprint } = signature;
  if (algorithm !== "ed25519" || signature_status !== "signed_v1" || signed_message !== message) {
    return "not a signature of this kind";
  }
  const isNamed = isText(key_id) && isText(public_key_fingerprint);
  const key = isNamed ? keys.get(keyName(key_id, public_key_fingerprint)) : undefined;
  if (!key) return "signed by a key that is not listed";
  const bytes = decodeBase64(signature.signature_b64, 64);
  if (!bytes) return "signature is not 64 bytes of base64";
  return (await isSignedBy(key.raw, digest, bytes)) ? null : "signature does not verify";
}
