/* The checks that recompute what a bundle says (section 9 of docs/format.md). */

import { hashText, same } from "./canonical.js";
import { EXCERPT_LENGTH } from "./form.js";
import { MERGE_VERSION, stateOf } from "./merge.js";
import { Unchecked, fail } from "./outcomes.js";
import { keyFacts, keyName, whyNotSigned } from "./signatures.js";
import { get, getInstant } from "./subject.js";
import { codePoints, decodeBase64, hasKeys, hex } from "./values.js";

export const recomputed = {
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
