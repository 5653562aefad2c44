/* Verifies a Pith open graph bundle, in a browser or in Node 20 and later, without dependencies.

   import { verifyBundle } from "./verify.js";
   const report = await verifyBundle(bytes, [publicKey]);   // Uint8Array; 32 bytes each

   It makes the checks of `pith-ingest verify`, under the same names and with the same outcomes,
   from the rules in docs/format.md, whose sections the comments name. Nothing is sent anywhere. */

const MAX_BYTES = 8 * 2 ** 20;
const MAX_INTEGER = 2 ** 53;
const MAX_DEPTH = 254;
const MAX_READ_DEPTH = 900;
const MAX_DETAIL = 300;
const EXCERPT_LENGTH = 600;
const EARLIEST_YEAR = 1980;
const MAX_CLOCK_ERROR_DAYS = 31;
const MERGE_VERSION = "pith-open-graph-merge-v1";

class Unreadable extends Error {}
class Failed extends Error {}
class Unchecked extends Error {}
class NoCanonicalForm extends Failed {}

/* Reading: JSON with one meaning, or none (section 2). */

function readJson(data) {
  if (data.length > MAX_BYTES) throw new Unreadable(`larger than ${MAX_BYTES} bytes`);
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new Unreadable("not UTF-8");
  }
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  fail(what = "not JSON") {
    throw new Unreadable(`${what} (character ${this.at})`);
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) this.fail();
    this.at = pattern.lastIndex;
    return found[0];
  }

  next() {
    this.match(/[ \t\n\r]*/y);
    return this.text[this.at];
  }

  take(character) {
    if (this.next() !== character) return false;
    this.at += 1;
    return true;
  }

  end() {
    if (this.next() !== undefined) this.fail("something after the value");
  }

  value(depth) {
    if (depth > MAX_READ_DEPTH) this.fail("nested too deeply");
    const first = this.next();
    if (first === "{") return this.object(depth);
    if (first === "[") return this.array(depth);
    if (first === '"') return this.string();
    if (first === "t" || first === "f" || first === "n") {
      return { true: true, false: false, null: null }[this.match(/true|false|null/y)];
    }
    return this.integer();
  }

  object(depth) {
    const value = Object.create(null);
    this.at += 1;
    if (this.take("}")) return value;
    do {
      if (this.next() !== '"') this.fail();
      const key = this.string();
      if (key in value) this.fail(`the key ${JSON.stringify(key).slice(0, 80)} stands twice`);
      if (!this.take(":")) this.fail();
      value[key] = this.value(depth + 1);
    } while (this.take(","));
    if (!this.take("}")) this.fail();
    return value;
  }

  array(depth) {
    const value = [];
    this.at += 1;
    if (this.take("]")) return value;
    do value.push(this.value(depth + 1));
    while (this.take(","));
    if (!this.take("]")) this.fail();
    return value;
  }

  string() {
    const start = this.at;
    let end = start + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === "\\" ? 2 : 1;
    this.at = end + 1;
    try {
      // Of one JSON string, JSON.parse knows one meaning.
      return JSON.parse(this.text.slice(start, this.at));
    } catch {
      return this.fail();
    }
  }

  integer() {
    const text = this.match(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y);
    if (/[.eE]/.test(text)) this.fail("a number that is not an integer");
    if (text.length > 17 || BigInt(text) > MAX_INTEGER || BigInt(text) < -MAX_INTEGER) {
      this.fail("an integer that is too large");
    }
    return Number(text) || 0; // never minus zero
  }
}

/* Canonical forms and hashes (section 2). */

function canonicalJson(value, depth = 0) {
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

async function sha256(data) {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
}

const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const isAscii = (text) => /^[\u0000-\u007f]*$/.test(text);
const isObject = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
const isText = (value) => typeof value === "string";
const same = (first, second) => canonicalJson(first) === canonicalJson(second);
const hashText = async (text) => hex(await sha256(canonicalText(text)));
const codePoints = (text) => Array.from(text).length;
const latest = (times) => times.reduce((one, other) => (one > other ? one : other));

function without(value, ...names) {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

function hasKeys(value, names) {
  return Object.keys(value).sort().join(" ") === [...names].sort().join(" ");
}

function base32(digest) {
  const bits = Array.from(digest, (byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.slice(0, 130).match(/.{5}/g)
    .map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[parseInt(five, 2)]).join("");
}

function decodeBase64(text, length) {
  if (!isText(text) || !isAscii(text)) return null;
  let binary;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  // Only its one canonical spelling gives the same text again.
  if (btoa(binary) !== text || binary.length !== length) return null;
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/* Return a time in a form that sorts, or null if it is none (section 2). */
export function instant(text) {
  const form = /^(\d{4})-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{6})?Z$/;
  const found = isText(text) && form.exec(text);
  if (!found) return null;
  const [year, month, day] = [+found[1], +found[2], +found[3]];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  if (year < 1 || !days || day < 1 || day > days) return null;
  return found[4] ? text : `${text.slice(0, -1)}.000000Z`;
}

/* Signatures: Ed25519 as in RFC 8032, section 5.1.7, without the cofactor, and no point of small
   order nor a second spelling of one (section 3). */

const SMALL_ORDER = new Set([
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]);
const FIELD = 2n ** 255n - 19n;
const GROUP = 2n ** 252n + 27742317777372353535851937790883648493n;

const littleEndian = (bytes) => BigInt(`0x${hex(Uint8Array.from(bytes).reverse())}`);

function isUsablePoint(bytes) {
  const y = Uint8Array.from(bytes);
  y[31] &= 0x7f; // without the sign of x
  return littleEndian(y) < FIELD && !SMALL_ORDER.has(hex(y));
}

export async function isSignedBy(key, message, signature) {
  const isStrict = isUsablePoint(key) && isUsablePoint(signature.slice(0, 32));
  if (!isStrict || littleEndian(signature.slice(32)) >= GROUP) return false;
  try {
    const imported = await crypto.subtle.importKey("raw", key, "Ed25519", false, ["verify"]);
    return await crypto.subtle.verify("Ed25519", imported, signature, message);
  } catch {
    return false;
  }
}

async function keyFacts(key) {
  const digest = await sha256(key);
  return {
    algorithm: "ed25519",
    format: "raw",
    public_key_b64: btoa(String.fromCharCode(...key)),
    public_key_hex: hex(key),
    fingerprint_sha256_b32_first128bits: base32(digest),
    fingerprint_sha256_hex: hex(digest).slice(0, 32),
  };
}

const keyName = (keyId, fingerprint) => `${fingerprint} ${keyId}`;

/* Return the usable keys of a bundle's list: by name, in the order of the list. */
async function listedKeys(entries) {
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

async function whyNotSigned(signature, digest, message, keys) {
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

/* Events and their merge to a state (sections 5 and 6). */

const LISTS = {
  graph_snapshot: "graph_snapshots",
  author_attestation: "author_attestations",
  timestamp_anchor: "timestamp_anchors",
  storage_attestation: "storage_attestations",
  citation_signature: "citation_signatures",
  replication_record: "replication_records",
  correction: "corrections",
  mirror_hint: "mirror_hints",
};
const UNHASHED = ["signature", "content_sha256", "event_id"];

function isWellFormed(event) {
  const { signer, supersedes } = event;
  const previous = event.prev_event ?? null;
  return (
    ["event_id", "event_type", "target", "subject_pith_number", "created_at"]
      .every((name) => isText(event[name])) &&
    isObject(signer) && isText(signer.signer_id) &&
    Array.isArray(supersedes) && supersedes.every(isText) &&
    (previous === null || isText(previous)) &&
    instant(event.created_at) !== null
  );
}

async function whyInvalid(event, number, keys) {
  if (!isObject(event) || !isWellFormed(event)) return "malformed";
  const digest = await sha256(canonicalJson(without(event, ...UNHASHED)));
  if (event.content_sha256 !== hex(digest)) return "content_sha256 does not recompute";
  if (event.event_id !== `sha256:${hex(digest)}`) return "event_id does not recompute";
  if (event.subject_pith_number !== number) return "about another record";
  return whyNotSigned(event.signature, digest, "open_graph_event_sha256_bytes", keys);
}

async function judge(events, number, keys) {
  const valid = new Map();
  const invalid = new Map();
  for (const event of events) {
    const reason = await whyInvalid(event, number, keys);
    if (reason === null) {
      valid.set(event.event_id, event);
    } else {
      const claimed = isObject(event) ? event.event_id : null;
      const id = isText(claimed) && isAscii(claimed) ? claimed : null;
      invalid.set(canonicalJson(event), { event_id: id, reason });
    }
  }
  return { valid: [...valid.values()], invalid: [...invalid.values()] };
}

function compare(...pairs) {
  for (const [one, other] of pairs) {
    if (one !== other) return one < other ? -1 : 1;
  }
  return 0;
}

function inOrder(events) {
  const rank = (event) => ({ record_created: 0, graph_snapshot: 1 })[event.event_type] ?? 2;
  return [...events].sort((one, other) => compare(
    [instant(one.created_at), instant(other.created_at)],
    [rank(one), rank(other)],
    [one.event_id, other.event_id],
  ));
}

/* Within one line, of one signer, type and target, an event may replace another. */
const lineOf = (event) => [event.signer.signer_id, event.event_type, event.target];

function findEquivocations(ordered) {
  const groups = new Map();
  for (const event of ordered) {
    const name = JSON.stringify([...lineOf(event), event.prev_event ?? null]);
    if (!groups.has(name)) groups.set(name, []);
    groups.get(name).push(event);
  }
  const found = [];
  for (const [name, events] of groups) {
    if (events.length === 1) continue;
    const [signer_id, event_type, target, prev_event] = JSON.parse(name);
    const related = new Map(events.map((event) => [event.event_id, 0]));
    for (const event of events) {
      for (const other of new Set(event.supersedes)) {
        if (!related.has(other)) continue;
        related.set(event.event_id, related.get(event.event_id) + 1);
        related.set(other, related.get(other) + 1);
      }
    }
    const event_ids = [...related.keys()]
      .filter((id) => related.get(id) < events.length - 1).sort();
    if (event_ids.length) found.push({ event_ids, event_type, prev_event, signer_id, target });
  }
  return found.sort((one, other) => compare([one.event_ids.join(), other.event_ids.join()]));
}

function findStanding(ordered, equivocations) {
  const atOdds = new Set(equivocations.flatMap((group) => group.event_ids));
  const heard = ordered.filter((event) => !atOdds.has(event.event_id));
  const replaced = new Set(heard.flatMap((event) =>
    event.supersedes.map((old) => JSON.stringify([...lineOf(event), old]))));
  return heard.filter((event) => !replaced.has(JSON.stringify([...lineOf(event), event.event_id])));
}

function view(event) {
  const { event_id, target, created_at, signer, payload = null } = event;
  return { event_id, target, created_at, signer, payload };
}

/* Return the state to which judged events merge. */
async function stateOf({ valid, invalid }, number, aliases) {
  const ordered = inOrder(valid);
  const equivocations = findEquivocations(ordered);
  const standing = findStanding(ordered, equivocations);
  const newest = standing.filter((event) => event.event_type === "record_created").at(-1);
  const lists = Object.entries(LISTS).map(([type, name]) =>
    [name, standing.filter((event) => event.event_type === type).map(view)]);
  const state = {
    state_type: "pith_open_graph_state",
    state_version: "1.0",
    pith_number: number,
    merge_version: MERGE_VERSION,
    event_count: ordered.length + invalid.length,
    valid_event_count: ordered.length,
    invalid_event_count: invalid.length,
    equivocation_count: equivocations.length,
    current: {
      canonical_record: isObject(newest?.payload) ? newest.payload.canonical_record ?? null : null,
      source_aliases: aliases,
      ...Object.fromEntries(lists),
      record_created: newest ? view(newest) : null,
    },
    equivocations,
    invalid_events: [...invalid].sort((one, other) => compare(
      [one.event_id ?? "", other.event_id ?? ""], [one.reason, other.reason])),
    applied_event_ids: ordered.map((event) => event.event_id),
  };
  return { ...state, state_sha256: hex(await sha256(canonicalJson(state))) };
}

/* Return the state of record `number`, from any events that claim to be its. */
export async function mergeEvents(events, { number, publicKeys, sourceAliases }) {
  const judged = await judge(events, number, await listedKeys(publicKeys));
  return stateOf(judged, number, sourceAliases);
}

/* The form of a bundle (section 9, `schema`): each of these returns what is wrong, or null. */

const any = () => null;
const isOne = (test, what) => (value) => (test(value) ? null : `not ${what}`);
const text = isOne(isText, "a text");
const textOf = (pattern) => isOne((value) => isText(value) && pattern.test(value), `of ${pattern}`);
const textOfLength = (least, most) => isOne(
  (value) => isText(value) && codePoints(value) >= least && codePoints(value) <= most,
  `a text of ${least} to ${most} characters`,
);
const exactly = (due) => isOne((value) => value === due, JSON.stringify(due));
const integer = (least, most) => isOne(
  (value) => typeof value === "number" && value >= least && value <= most,
  `an integer from ${least} to ${most}`,
);
const orNull = (form) => (value) => (value === null ? null : form(value));
const list = (form, least = 0) => (value) => {
  if (!Array.isArray(value) || value.length < least) return `not a list of ${least} or more`;
  return firstWrong(value.map((item, at) => [at, form(item)]));
};
const open = (forms) => (value) => {
  if (!isObject(value)) return "not an object";
  return firstWrong(Object.entries(forms).map(([name, form]) =>
    [name, name in value ? form(value[name]) : "missing"]));
};
const object = (forms) => (value) => {
  const more = isObject(value) && Object.keys(value).find((name) => !Object.hasOwn(forms, name));
  return more ? `an unknown key ${more}` : open(forms)(value);
};

function firstWrong(found) {
  const wrong = found.find(([, reason]) => reason !== null);
  return wrong ? `${wrong[0]}: ${wrong[1]}` : null;
}

const NAME = textOf(/^[^]+$/);
const LINE = textOf(/^[^\n]*$/);
const HASH = textOf(/^[0-9a-f]{64}$/);
const EVENT_ID = textOf(/^sha256:[0-9a-f]{64}$/);
const SECONDS = textOfLength(20, 20);
const MICROS = textOfLength(27, 27);
const VERSION = integer(1, 9999);
const CATEGORY = textOf(/^[a-z]+(?:-[a-z]+)*(?:\.[A-Za-z]+(?:-[a-z]+)*)?$/);
const ANY_OBJECT = open({});
const WEB_BASE =
  /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*$/;

const SOURCE = object({
  kind: exactly("arxiv"),
  id: textOf(/^(?:[0-9]{4}\.[0-9]{4,5}|[a-z]+(?:-[a-z]+)*(?:\.[A-Z]{2})?\/[0-9]{7})$/),
  version: VERSION,
});
const RECORD = object({
  source: SOURCE,
  metadata: object({
    license: LINE,
    primary_cat: CATEGORY,
    submitted_at: SECONDS,
    cross_cats_sorted: list(CATEGORY),
    title_canon_sha256: any,
    abstract_canon_sha256: HASH,
  }),
  schema_version: exactly("1.0"),
});
const RECEIPT = object({
  kind: exactly("pith_receipt"),
  key_id: NAME,
  algorithm: any,
  signed_at: MICROS,
  signature_b64: any,
  signed_message: any,
  builder_version: NAME,
  receipt_version: exactly("0.3"),
  canonical_sha256: any,
  last_reissued_at: MICROS,
  signature_status: any,
  first_computed_at: MICROS,
  public_key_fingerprint: any,
});
const SIGNATURE = object({
  signature_status: any,
  algorithm: any,
  key_id: NAME,
  public_key_fingerprint: any,
  signature_b64: any,
  signed_message: any,
  signed_at: MICROS,
});
const SECTION = open({ snapshot_sha256: textOfLength(64, 64) });
const SNAPSHOT = object({
  paper: object({
    title: textOf(/^[^\n]+$/),
    license: any,
    headline: text,
    cross_cats: list(text),
    primary_cat: any,
    authors_text: LINE,
    submitted_at: any,
    abstract_excerpt: textOfLength(0, EXCERPT_LENGTH),
  }),
  claims: SECTION,
  source: SOURCE,
  verdict: ANY_OBJECT,
  references: SECTION,
  formal_canon: SECTION,
  author_claims: SECTION,
  builder_version: NAME,
});
const ownEvent = (target, payload) => object({
  event_type: any,
  subject_pith_number: any,
  target: exactly(target),
  payload,
  signer: object({
    signer_id: NAME,
    signer_type: exactly("pith_registry"),
    key_id: any,
    public_key_fingerprint: any,
  }),
  created_at: SECONDS,
  supersedes: (value) => list(EVENT_ID)(value) ??
    (new Set(value).size < value.length ? "one event twice" : null),
  prev_event: orNull(EVENT_ID),
  signature: SIGNATURE,
  content_sha256: any,
  schema_version: exactly("1.0"),
  event_id: any,
});
const RECORD_CREATED = ownEvent("record", object({
  canonical_record: any,
  canonical_sha256: any,
  receipt: RECEIPT,
  source_kind: text,
  source_id: text,
  source_version: VERSION,
  attestation_state: exactly("computed"),
}));
const GRAPH_SNAPSHOT = ownEvent("graph", object({ graph_snapshot: SNAPSHOT, verdict_id: any }));
const FOREIGN_EVENT = open({ signature: SIGNATURE });
const EVENT = (event) => {
  const type = isObject(event) ? event.event_type : null;
  if (type === "record_created") return RECORD_CREATED(event);
  return type === "graph_snapshot" ? GRAPH_SNAPSHOT(event) : FOREIGN_EVENT(event);
};
const BUNDLE = object({
  bundle_type: any,
  bundle_version: any,
  pith_number: any,
  short_pith_number: any,
  canonical_record: RECORD,
  canonical_sha256: any,
  source: any,
  source_aliases: any,
  events: list(EVENT),
  timestamp_proofs: list(any),
  mirror_hints: list(ANY_OBJECT),
  public_keys: list(object({
    key_id: NAME,
    algorithm: any,
    format: any,
    public_key_b64: any,
    public_key_hex: any,
    fingerprint_sha256_b32_first128bits: any,
    fingerprint_sha256_hex: any,
    rotates_at: orNull(SECONDS),
    url: orNull(textOf(/^https?:\/\/[!-~]+$/)),
    notes: text,
  }), 1),
  merge_version: any,
  built_at: any,
  links: ANY_OBJECT,
  state: any,
  bundle_signature: any,
});

/* A bundle under examination, with what several checks need computed once. */
class Subject {
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

  async signingKeys() {
    const keys = await this.keys();
    return [
      ...this.payloads("record_created").map((payload) => payload.receipt),
      ...this.events.map((event) => event.signature),
      this.bundle.bundle_signature,
    ].map((signed) => keys.get(keyName(signed.key_id, signed.public_key_fingerprint)));
  }
}

const KINDS = {
  text: isText,
  integer: (value) => typeof value === "number",
  object: isObject,
  list: Array.isArray,
};

/* Follow a path through objects to a value of a kind, or fail naming the place. */
function get(value, kind, ...path) {
  for (const [at, key] of path.entries()) {
    if (!isObject(value) || !(key in value)) fail(`${path.slice(0, at + 1).join(".")} is missing`);
    value = value[key];
  }
  if (!KINDS[kind](value)) fail(`${path.join(".")} is not of the kind ${kind}`);
  return value;
}

function fail(reason) {
  throw new Failed(reason);
}

function getInstant(value, key) {
  return instant(get(value, "text", key)) ?? fail(`${key} is not a UTC time`);
}

/* The checks that recompute what a bundle says (section 9). */

const recomputed = {
  version({ bundle, record }) {
    const known = bundle.bundle_version === "1.0" && bundle.merge_version === MERGE_VERSION;
    if (!known || record.schema_version !== "1.0") fail("a version that is not known");
  },

  async canonical_hash(subject) {
    if (get(subject.bundle, "text", "canonical_sha256") !== (await subject.id()).sha256) {
      fail("canonical_sha256 is not the hash of canonical_record");
    }
  },

  async pith_number(subject) {
    const { number } = await subject.id();
    if (get(subject.bundle, "text", "pith_number") !== number) fail(`the number is ${number}`);
  },

  async short_pith_number(subject) {
    const { short } = await subject.id();
    if (get(subject.bundle, "text", "short_pith_number") !== short) fail(`it is ${short}`);
  },

  source({ bundle, record }) {
    if (!same(bundle.source ?? null, record.source ?? null)) fail("source is not the record's");
  },

  async aliases(subject) {
    const stated = get(subject.bundle, "list", "source_aliases");
    const id = get(subject.record, "text", "source", "id");
    const version = get(subject.record, "integer", "source", "version");
    for (const alias of stated) {
      if (!getInstant(alias, "created_at").endsWith(".000000Z") || alias.created_at.length !== 20) {
        fail("an alias is not dated in whole seconds");
      }
      if (!hasKeys(alias, ["alias_kind", "alias_value", "created_at"])) fail("an alias's keys");
    }
    const { suffix } = await subject.id();
    const due = [
      ["arxiv", id],
      ["arxiv_version", `${id}v${version}`],
      ["doi", `10.48550/arxiv.${id}`],
      ...[12, 16, 8].map((length) => [`pith_short_${length}`, suffix.slice(0, length)]),
    ];
    if (!same(stated.map((alias) => [alias.alias_kind, alias.alias_value]), due)) {
      fail("source_aliases are not those of the record");
    }
  },

  async public_keys({ bundle }) {
    const listed = new Map();
    for (const entry of get(bundle, "list", "public_keys")) {
      const key = decodeBase64(get(entry, "text", "public_key_b64"), 32) ?? fail("not a key");
      for (const [name, due] of Object.entries(await keyFacts(key))) {
        if (entry[name] !== due) fail(`a public key's ${name} is not ${due}`);
      }
      const name = keyName(get(entry, "text", "key_id"), hex(key));
      if (!same(listed.get(name) ?? entry, entry)) fail("a key twice with different contents");
      listed.set(name, entry);
    }
  },

  async receipt(subject) {
    const id = await subject.id();
    const computed = new Set();
    for (const payload of subject.payloads("record_created")) {
      const receipt = get(payload, "object", "receipt");
      const { canonical_record = null, canonical_sha256 } = payload;
      if (!same(canonical_record, subject.record) || canonical_sha256 !== id.sha256) {
        fail("record_created is about another canonical record");
      }
      if (get(receipt, "text", "canonical_sha256") !== id.sha256) fail("for another record");
      const keys = await subject.keys();
      const reason = await whyNotSigned(receipt, id.digest, "canonical_sha256_bytes", keys);
      if (reason) fail(reason);
      const [first, last, signed] = ["first_computed_at", "last_reissued_at", "signed_at"]
        .map((name) => getInstant(receipt, name));
      if (first > last || last > signed) fail("the receipt's times are not in order");
      computed.add(first);
    }
    if (computed.size !== 1) fail("not one value of first_computed_at");
  },

  async events(subject) {
    const [first] = (await subject.judged()).invalid;
    if (first) fail(`event ${first.event_id}: ${first.reason}`);
  },

  async title(subject) {
    const due = get(subject.record, "text", "metadata", "title_canon_sha256");
    for (const payload of subject.payloads("graph_snapshot")) {
      if ((await hashText(get(payload, "text", "graph_snapshot", "paper", "title"))) !== due) {
        fail("a snapshot's title does not hash to title_canon_sha256");
      }
    }
  },

  async abstract(subject) {
    const due = get(subject.record, "text", "metadata", "abstract_canon_sha256");
    let isCut = false;
    for (const payload of subject.payloads("graph_snapshot")) {
      const excerpt = get(payload, "text", "graph_snapshot", "paper", "abstract_excerpt");
      if ((await hashText(excerpt)) === due) continue;
      if (codePoints(excerpt) !== EXCERPT_LENGTH) fail("a snapshot's abstract has another hash");
      isCut = true;
    }
    if (isCut) {
      throw new Unchecked(`it holds only the first ${EXCERPT_LENGTH} characters of the abstract`);
    }
  },

  async state(subject) {
    const aliases = get(subject.bundle, "list", "source_aliases");
    const due = await stateOf(await subject.judged(), (await subject.id()).number, aliases);
    if (!same(get(subject.bundle, "object", "state"), due)) {
      fail("state is not what the events merge to");
    }
  },

  bundle_hash({ bundle, digest }) {
    const stated = get(bundle, "text", "bundle_signature", "bundle_sha256");
    if (stated !== hex(digest)) fail("bundle_sha256 is not the hash of the bundle");
  },

  async bundle_signature(subject) {
    const signature = get(subject.bundle, "object", "bundle_signature");
    const names = ["signature_status", "algorithm", "key_id", "public_key_fingerprint",
      "signature_b64", "signed_message", "signed_at", "bundle_sha256"];
    if (!hasKeys(signature, names)) fail("a key too many or too few");
    const keys = await subject.keys();
    const { digest, bundle } = subject;
    const reason = await whyNotSigned(signature, digest, "bundle_sha256_bytes", keys);
    if (reason) fail(reason);
    if (getInstant(signature, "signed_at") !== signature.signed_at) fail("no microseconds");
    if (`${signature.signed_at.slice(0, 19)}Z` !== get(bundle, "text", "built_at")) {
      fail("signed_at is not within the second of built_at");
    }
    const first = [...keys.values()]
      .find((key) => key.fingerprint === signature.public_key_fingerprint);
    if (signature.key_id !== first.keyId) fail("key_id is not the first id of the key");
  },
};

/* The checks of the parts against each other, of a bundle that has the form (section 9). */

const EMPTY_SHA256 = "258153158e38e3291e3d48162225fcdb2d5a3ed65a07baac614ab91432fd4f57";
const EMPTY_SECTIONS = {
  claims: { count: 0, items: [] },
  references: { count: 0, sample: [], resolved_work: 0, internal_anchors: 0 },
  formal_canon: { evidence_count: 0 },
  author_claims: { count: 0, strong_count: 0 },
};
const EMPTY_VERDICT = {
  id: null,
  model_set: {},
  created_at: null,
  strongest_claim: "",
  one_line_summary: "",
  pipeline_version: null,
  weakest_assumption: "",
  pith_extraction_headline: "",
};

const ofParts = {
  signers({ events }) {
    for (const { signer, signature } of events) {
      for (const name of ["key_id", "public_key_fingerprint"]) {
        if (isObject(signer) && name in signer && signer[name] !== signature[name]) {
          fail(`a signer's ${name} is not the signature's`);
        }
      }
    }
  },

  payloads(subject) {
    const { source, metadata } = subject.record;
    for (const { source_kind, source_id, source_version } of subject.payloads("record_created")) {
      if (!same({ kind: source_kind, id: source_id, version: source_version }, source)) {
        fail("record_created names another source than the record");
      }
    }
    const snapshots = subject.payloads("graph_snapshot").map((payload) => payload.graph_snapshot);
    if (!snapshots.length) fail("no graph_snapshot");
    for (const { source: shown, paper } of snapshots) {
      if (!same(shown, source)) fail("a snapshot's source is not the record's");
      for (const name of ["license", "primary_cat", "submitted_at"]) {
        if (paper[name] !== metadata[name]) fail(`a snapshot's ${name} is not the record's`);
      }
      if (!same([...paper.cross_cats].sort(), metadata.cross_cats_sorted)) {
        fail("a snapshot's cross_cats are not the record's");
      }
    }
  },

  sections(subject) {
    const filled = new Set();
    for (const { graph_snapshot: snapshot, verdict_id } of subject.payloads("graph_snapshot")) {
      for (const [name, empty] of Object.entries(EMPTY_SECTIONS)) {
        const isEmpty = same(without(snapshot[name], "snapshot_sha256"), empty);
        if (isEmpty !== (snapshot[name].snapshot_sha256 === EMPTY_SHA256)) {
          fail(`a snapshot's ${name} and its snapshot_sha256 disagree`);
        }
        if (!isEmpty) filled.add(name);
      }
      const hasVerdict = snapshot.paper.headline !== "" || verdict_id !== null;
      if (hasVerdict || !same(snapshot.verdict, EMPTY_VERDICT)) filled.add("verdict");
    }
    if (filled.size) {
      throw new Unchecked(`not empty, of no form that is known: ${[...filled].sort().join(", ")}`);
    }
  },

  dates(subject) {
    const { bundle, record, events } = subject;
    const receipts = subject.payloads("record_created").map((payload) => payload.receipt);
    const signedAt = getInstant(get(bundle, "object", "bundle_signature"), "signed_at");
    const last = latest([
      signedAt,
      ...get(bundle, "list", "source_aliases").map((alias) => getInstant(alias, "created_at")),
      ...events.map((event) => getInstant(event, "created_at")),
      ...events.map((event) => getInstant(event.signature, "signed_at")),
      ...receipts.map((receipt) => getInstant(receipt, "signed_at")),
    ]);
    if (last > signedAt) fail(`${last} stands in it, which is later than its signature`);
    const submitted = getInstant(record.metadata, "submitted_at");
    if (+submitted.slice(0, 4) < EARLIEST_YEAR) fail(`submitted before ${EARLIEST_YEAR}`);
    const milliseconds = (time) => Date.parse(`${time.slice(0, 19)}Z`);
    for (const receipt of receipts) {
      const computed = getInstant(receipt, "first_computed_at");
      const days = (milliseconds(submitted) - milliseconds(computed)) / 86_400_000;
      if (days > MAX_CLOCK_ERROR_DAYS) fail("submitted long after it was computed");
    }
  },

  async links(subject) {
    const { bundle } = subject;
    const { suffix } = await subject.id();
    const resolver = get(bundle.links, "text", "resolver");
    const end = `/pith/${suffix}`;
    const base = resolver.endsWith(end) ? resolver.slice(0, -end.length) : resolver;
    const due = addresses(base, suffix);
    if (!WEB_BASE.test(base) || !same(bundle.links, due)) {
      fail("links are not the addresses of this record below one base");
    }
    for (const hint of bundle.mirror_hints) {
      const base_url = get(hint, "text", "base_url");
      const own = addresses(base_url, suffix);
      const hintDue = {
        mirror_type: "https",
        name: get(hint, "text", "name"),
        base_url,
        bundle_url: own.bundle,
        state_url: own.state,
        well_known_bundle_url: own.well_known_bundle,
        status: get(hint, "text", "status"),
      };
      const isNamed = hint.name !== "" && hint.status !== "";
      if (!isNamed || !WEB_BASE.test(base_url) || !same(hint, hintDue)) fail("a mirror hint");
      if (hint.status === "primary" && base_url !== base) fail("the primary mirror is elsewhere");
    }
  },

  timestamp_proofs({ bundle }) {
    const { length } = bundle.timestamp_proofs;
    if (length) throw new Unchecked(`${length} of no kind that is known`);
  },
};

function addresses(base, suffix) {
  const resolver = `${base}/pith/${suffix}`;
  return {
    resolver,
    bundle: `${resolver}/bundle.json`,
    state: `${resolver}/state.json`,
    well_known_bundle: `${base}/.well-known/pith/${suffix}/bundle.json`,
  };
}

function schema(subject) {
  const wrong = subject.wrongForm();
  if (wrong !== null) fail(wrong);
}

const ofForm = (check) => (subject) => {
  if (subject.wrongForm() !== null) throw new Unchecked("it is not of the schema");
  return check(subject);
};

const CHECKS = [
  ...Object.entries(recomputed),
  ["schema", schema],
  ...Object.entries(ofParts).map(([name, check]) => [name, ofForm(check)]),
];

async function run(name, check, subject) {
  try {
    await check(subject);
    return { name, outcome: "pass", detail: "" };
  } catch (error) {
    if (!(error instanceof Failed || error instanceof Unchecked)) throw error;
    const outcome = error instanceof Failed ? "fail" : "could not check";
    return { name, outcome, detail: error.message.slice(0, MAX_DETAIL) };
  }
}

/* Check the bytes of a bundle file, and its keys against `pinned` ones (raw 32 bytes each).

   Returns { pith_number, valid, trusted, unreadable, checks: [{ name, outcome, detail }] }, where
   an outcome is "pass", "fail" or "could not check". Any input gives a report. */
export async function verifyBundle(data, pinned = []) {
  const report = { pith_number: null, valid: false, trusted: false, unreadable: null, checks: [] };
  let bundle;
  try {
    bundle = readJson(data);
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ...report, unreadable: error.message };
  }
  if (!isObject(bundle) || bundle.bundle_type !== "pith_open_graph_bundle") {
    return { ...report, unreadable: "JSON, but not a Pith bundle" };
  }
  const pith_number = isText(bundle.pith_number) ? bundle.pith_number : null;
  const hasForm = await run("canonical_json", () => canonicalJson(bundle), null);
  if (hasForm.outcome !== "pass") {
    const others = CHECKS.map(([name]) =>
      ({ name, outcome: "could not check", detail: "not canonical JSON" }));
    return { ...report, pith_number, checks: [hasForm, ...others] };
  }
  const digest = await sha256(canonicalJson(without(bundle, "bundle_signature")));
  const subject = new Subject(bundle, digest);
  const checks = [hasForm];
  for (const [name, check] of CHECKS) checks.push(await run(name, check, subject));
  const valid = checks.every((check) => check.outcome !== "fail");
  const own = new Set(pinned.map(hex));
  const trusted = valid && (await subject.signingKeys()).every((key) => own.has(hex(key.raw)));
  return { pith_number, valid, trusted, unreadable: null, checks };
}
