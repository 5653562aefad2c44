/* Events, and their merge to a state (sections 5 and 6 of docs/format.md). */

import { canonicalJson, sha256 } from "./canonical.js";
import { listedKeys, whyNotSigned } from "./signatures.js";
import { hex, instant, isAscii, isObject, isText, without } from "./values.js";

export const MERGE_VERSION = "pith-open-graph-merge-v1";

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

export async function judge(events, number, keys) {
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
export async function stateOf({ valid, invalid }, number, aliases) {
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
