/* Canonical forms, and the hashes of them (section 2 of docs/format.md). */

import { NoCanonicalForm } from "./outcomes.js";
import { hex, isAscii } from "./values.js";

const MAX_DEPTH = 254;

export function canonicalJson(value, depth = 0) {
  if (typeof value === "string") {
    if (/\p{Surrogate}/u.test(value)) throw new NoCanonicalForm("a lone surrogate");
    return JSON.stringify(value);
  }
  if (value === null || typeof value !== "object") return String(value);
  if (depth >= MAX_DEPTH) throw new NoCanonicalForm(`nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) {
    return `[${value.map((item) => canonicalJson(item, depth + 1)).join(",")}]`;
  }
  const members = Object.keys(value).sort().map((key) => {
    if (!isAscii(key)) throw new NoCanonicalForm("a key that is not ASCII");
    return `${JSON.stringify(key)}:${canonicalJson(value[key], depth + 1)}`;
  });
  return `{${members.join(",")}}`;
}

const WHITESPACE =
  /[\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/;

export function canonicalText(text) {
  return text.toLowerCase().split(WHITESPACE).filter(Boolean).join(" ");
}

export async function sha256(data) {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

export const same = (first, second) => canonicalJson(first) === canonicalJson(second);
export const hashText = async (text) => hex(await sha256(canonicalText(text)));
