/* The report on one bundle: verdict, what it is about, who signed it, every check. */

import { button, element, foreign } from "./elements.js";
import { statusOf, verdictOf } from "./verdict.js";

/* What each check asks for, in a few words; docs/format.md says it exactly. */
const ASKS = {
  canonical_json: "The document can be written in one way only.",
  version: "Format, merge rules and record are of the known version.",
  canonical_hash: "The hash is that of the canonical record.",
  pith_number: "The number follows from that hash.",
  short_pith_number: "The short number does too.",
  source: "Bundle and record name the same paper and version.",
  aliases: "The six aliases are those of the record.",
  public_keys: "Each key and its fingerprints belong together.",
  receipt: "The receipt is about this record, and its signature verifies.",
  events: "Hash, id and signature of each event are right.",
  title: "The title shown is the one that is hashed.",
  abstract: "The abstract shown is the one that is hashed.",
  state: "The state is what the events merge to.",
  bundle_hash: "The hash is that of the whole bundle.",
  bundle_signature: "The signature of the whole bundle verifies.",
  schema: "Every part has the form of the format.",
  signers: "Each signer names the key that signed.",
  payloads: "Events do not contradict the record.",
  sections: "Empty sections are marked as empty.",
  dates: "Nothing is later than the signature.",
  links: "The addresses are of this record below one base.",
  timestamp_proofs: "There is no proof of time of an unknown kind.",
};
const MARKS = { pass: "✓", fail: "✗", "could not check": "?" };

/* Return the element for { name, report, facts, asked }; `trust` is called with the signer whose key
   the visitor wants to trust. */
export function reportView(result, trusted, trust) {
  const { name, report, facts } = result;
  const { pinned } = trusted;
  const status = statusOf(result, pinned);
  const view = element("article", { class: "report", "data-status": status },
    element("h3", { tabindex: "-1" }, foreign(name)),
    element("p", { class: "verdict" }, verdictOf(result, pinned)));
  if (Object.keys(facts).length) view.append(factsView(facts));
  if (report.signers.length) view.append(signersView(report.signers, pinned, trust));
  if (report.checks.length) view.append(checksView(report.checks));
  return view;
}

function factsView(facts) {
  const rows = Object.entries(facts).map(([name, text]) =>
    element("div", {}, element("dt", {}, name), element("dd", {}, foreign(text))));
  return element("dl", { class: "facts" }, ...rows);
}

function signersView(signers, pinned, trust) {
  const items = signers.map((signer) => {
    const key = element("code", {}, signer.fingerprint);
    if (pinned.has(signer.public_key)) return element("li", {}, key, " trusted by you");
    const label = `Trust this key: ${signer.fingerprint}`;
    return element("li", {}, key, " not among the keys that you trust ",
      button("Trust this key…", () => trust(signer), { "aria-label": label }));
  });
  return element("div", {}, element("h4", {}, "Signed by"), element("ul", {}, ...items));
}

function checksView(checks) {
  const rows = checks.map(({ name, outcome, detail }) =>
    element("tr", { "data-check": name, "data-outcome": outcome },
      element("th", { scope: "row" }, element("code", {}, name)),
      element("td", { class: "outcome" }, `${MARKS[outcome]} ${outcome}`),
      element("td", {}, outcome === "pass" ? ASKS[name] : foreign(detail))));
  const heads = ["Check", "Outcome", "What was found"].map((text) =>
    element("th", { scope: "col" }, text));
  return element("table", { class: "checks" },
    element("caption", {}, counted(checks)),
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...rows));
}

function counted(checks) {
  const count = (outcome) => checks.filter((check) => check.outcome === outcome).length;
  return `${checks.length} checks: ${count("pass")} pass, ${count("fail")} fail, ` +
    `${count("could not check")} could not check`;
}
