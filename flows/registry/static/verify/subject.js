/* A bundle under examination, and how a check takes a value out of it. */

import { canonicalJson, sha256 } from "./canonical.js";
import { BUNDLE } from "./form.js";
import { judge } from "./merge.js";
import { Unchecked, fail } from "./outcomes.js";
import { keyName, listedKeys } from "./signatures.js";
import { base32, encodeBase64, hex, instant, isObject, isText } from "./values.js";

/* A bundle under examination, with what several checks need computed once. */
export class Subject {
  constructor(bundle, digest) {
    this.bundle = bundle;
    this.digest = digest;
    this.known = new Map();
  }

  once(name, compute) {
    if (!this.known.has(name)) this.known.set(name, compute());
    return this.known.get(name);
  }

  get record() {
    return get(this.bundle, "object", "canonical_record");
  }

  get events() {
    return get(this.bundle, "list", "events");
  }

  id() {
    return this.once("id", async () => {
      const year = get(this.record, "text", "metadata", "submitted_at");
      const digest = await sha256(canonicalJson(this.record));
      const suffix = base32(digest);
      return {
        digest,
        sha256: hex(digest),
        suffix,
        number: `pith:${Array.from(year).slice(0, 4).join("")}:${suffix}`,
        short: `pith:${suffix.slice(0, 8)}`,
      };
    });
  }

  keys() {
    return this.once("keys", () => listedKeys(get(this.bundle, "list", "public_keys")));
  }

  judged() {
    return this.once("judged", async () =>
      judge(this.events, (await this.id()).number, await this.keys()));
  }

  wrongForm() {
    return this.once("form", () => BUNDLE(this.bundle));
  }

  payloads(type) {
    return this.events.filter((event) => isObject(event) && event.event_type === type)
      .map((event) => get(event, "object", "payload"));
  }

  /* Return the keys that signed a valid bundle: its receipts, its events and the whole. */
  async signers() {
    const keys = await this.keys();
    const signatures = [
      ...this.payloads("record_created").map((payload) => payload.receipt),
      ...this.events.map((event) => event.signature),
      this.bundle.bundle_signature,
    ];
    const signing = signatures.map(({ key_id, public_key_fingerprint }) =>
      keys.get(keyName(key_id, public_key_fingerprint)));
    const byKey = new Map(signing.map(({ raw, fingerprint }) =>
      [hex(raw), { fingerprint, public_key: encodeBase64(raw) }]));
    return [...byKey.keys()].sort().map((key) => byKey.get(key));
  }
}

const KINDS = {
  text: isText,
  integer: (value) => typeof value === "number",
  object: isObject,
  list: Array.isArray,
};

/* Follow a path through objects to a value of a kind, or fail naming the place. */
export function get(value, kind, ...path) {
  for (const [at, key] of path.entries()) {
    if (!isObject(value) || !(key in value)) fail(`${path.slice(0, at + 1).join(".")} is missing`);
    value = value[key];
  }
  if (!KINDS[kind](value)) fail(`${path.join(".")} is not of the kind ${kind}`);
  return value;
}

export function getInstant(value, key) {
  return instant(get(value, "text", key)) ?? fail(`${key} is not a UTC time`);
}
