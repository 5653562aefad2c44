/* The page of a record of a registry that is published in packs: it finds, shows and verifies it.

   The record is named by `?number=`, or by the path where the host answers this page for what it
   has not (404.html). */

import { MAX_BYTES } from "../verify/strict-json.js";
import { NotInPacks, packedBundle } from "../fetch/packs.js";
import { element, foreign } from "../ui/elements.js";
import { reportView } from "../ui/report-view.js";
import { trustSigner } from "../ui/trust-view.js";
import { TrustedKeys } from "../ui/trusted-keys.js";
import { verdictOf } from "../ui/verdict.js";
import { Verifiers } from "../ui/verifier.js";
import { whyUnable } from "../verify/signatures.js";

const NUMBER = /^(?:pith:)?(?:[0-9]{4}:)?([A-Z2-7]{8,26})$/;
const PATH = /\/pith\/([A-Za-z2-7]{8,26})\/?$/;

const place = (id) => document.getElementById(id);
const say = (sentence) => {
  place("status").textContent = sentence;
};

function asked() {
  const named = new URLSearchParams(location.search).get("number");
  return named ?? PATH.exec(location.pathname)?.[1] ?? "";
}

async function show(text) {
  const number = NUMBER.exec(text.trim().replace(/[a-z]/g, (small) => small.toUpperCase())
    .replace(/^PITH:/, "pith:"));
  if (!number) return say("Give a Pith Number such as pith:2019:… or its first 8 characters.");
  say("Reading…");
  try {
    const base = new URL(place("ask").dataset.root || "/", location.href).href.replace(/\/$/, "");
    const { suffix, blob } = await packedBundle(base, number[1]);
    if (blob.size > MAX_BYTES) return say("This is larger than any bundle.");
    const bundle = JSON.parse(await blob.text());
    await fill(suffix, bundle, blob);
  } catch (error) {
    say(error instanceof NotInPacks ? `${error.message}.`
      : "This record could not be read; the registry answers otherwise than it says.");
  }
}

async function fill(suffix, bundle, blob) {
  const file = element("a", {
    class: "button", download: `${suffix}.bundle.json`, href: URL.createObjectURL(blob),
  }, "Signed bundle");
  const { metadata, source, title } = facts(bundle);
  place("title").replaceChildren(foreign(title));
  document.title = title;
  const report = element("div");
  place("record").replaceChildren(
    element("p", { class: "number" }, element("code", {}, foreign(bundle.pith_number ?? ""))),
    element("p", { class: "line" }, foreign(`arxiv:${source.id} v${source.version} · ${metadata}`)),
    element("p", {}, file),
    report,
    element("h2", {}, "Canonical record"),
    element("pre", { class: "code", tabindex: "0" },
      element("code", {}, foreign(JSON.stringify(bundle.canonical_record, null, 2), 20_000))),
  );
  await verify(suffix, blob, report);
}

/* Return what the page says of a paper; what is not there, of a bundle that is none, is empty. */
function facts(bundle) {
  const paper = bundle.state?.current?.graph_snapshots?.at(-1)?.payload?.graph_snapshot?.paper;
  const { primary_cat: first = "", cross_cats: cross = [] } = paper ?? {};
  return {
    title: String(paper?.title ?? bundle.pith_number ?? "A record"),
    source: bundle.source ?? {},
    metadata: [paper?.authors_text ?? "", [first, ...cross].join(" ")].join(" · "),
  };
}

async function verify(suffix, blob, report) {
  const unable = await whyUnable();
  if (unable !== null) return say(unable);
  const result = {
    name: suffix, asked: { year: null, suffix }, ...await new Verifiers().verify(blob),
  };
  const trusted = new TrustedKeys(view);
  function view() {
    const trust = (signer) => trustSigner(trusted, signer, `the record ${suffix}`);
    report.replaceChildren(reportView(result, trusted, trust));
    say(verdictOf(result, trusted.pinned));
  }
  view();
}

place("ask").addEventListener("submit", (event) => {
  event.preventDefault();
  const number = place("number").value;
  history.replaceState(null, "", `${place("ask").getAttribute("action")}?number=${encodeURIComponent(number)}`);
  show(number);
});
if (asked()) {
  place("number").value = asked();
  await show(asked());
}
