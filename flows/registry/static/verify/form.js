/* The form of a bundle (section 9 of docs/format.md, `schema`): each of these returns what is wrong,
   or null. */

import { codePoints, isObject, isText } from "./values.js";

export const EXCERPT_LENGTH = 600;

/* No pattern here repeats a group: over megabytes that exhausts the browser's stack. What would be
   repeated is one class of characters instead, and another pattern says what may not be in it. */

const WEB_ADDRESS =
  /^https?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:\/[A-Za-z0-9._~!$&'()*+,;=:@%/-]*)?$/;
const WEB_START = "https://".length;

/* Return whether a text is an address below which records may be published. */
export const isWebBase = (text) =>
  WEB_ADDRESS.test(text) && !text.endsWith("/") && !text.includes("//", WEB_START);

const any = () => null;
const isOne = (test, what) => (value) => (test(value) ? null : `not ${what}`);
const text = isOne(isText, "a text");
const textOf = (pattern, without = null) => isOne(
  (value) => isText(value) && pattern.test(value) && !without?.test(value), `of ${pattern}`);
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
const CATEGORY = textOf(/^[a-z][a-z-]*(?:\.[A-Za-z]+(?:-[a-z-]*)?)?$/, /--|-\.|-$/);
const ANY_OBJECT = open({});

const SOURCE = object({
  kind: exactly("arxiv"),
  id: textOf(/^(?:[0-9]{4}\.[0-9]{4,5}|[a-z][a-z-]*(?:\.[A-Z]{2})?\/[0-9]{7})$/, /--|-[./]/),
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
export const BUNDLE = object({
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
