/* The checks of a bundle's form, and of its parts against each other (section 9 of docs/format.md). */

import { same } from "./canonical.js";
import { isWebBase } from "./form.js";
import { Unchecked, fail } from "./outcomes.js";
import { get, getInstant } from "./subject.js";
import { isObject, latest, without } from "./values.js";

const EARLIEST_YEAR = 1980;
const MAX_CLOCK_ERROR_DAYS = 31;

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

const ofForm = {
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
    if (!isWebBase(base) || !same(bundle.links, due)) {
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
      if (!isNamed || !isWebBase(base_url) || !same(hint, hintDue)) fail("a mirror hint");
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

const whereItHasTheForm = (check) => (subject) => {
  if (subject.wrongForm() !== null) throw new Unchecked("it is not of the schema");
  return check(subject);
};

export const ofParts = {
  schema,
  ...Object.fromEntries(
    Object.entries(ofForm).map(([name, check]) => [name, whereItHasTheForm(check)])),
};
