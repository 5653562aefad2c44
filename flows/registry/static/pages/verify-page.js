/* The page `verify`: files that are dropped or chosen, a number or an address, the keys trusted. */

import { bundleAddress, CannotFetch, fetchBundle } from "../fetch/address.js";
import { batchView, countedResults } from "../ui/batch-view.js";
import { chosenFiles, chosenFolder, droppedFiles, MOST_FILES } from "../ui/dropped-files.js";
import { reportView } from "../ui/report-view.js";
import { showKeys, takePastedKeys, trustSigner } from "../ui/trust-view.js";
import { TrustedKeys } from "../ui/trusted-keys.js";
import { verdictOf } from "../ui/verdict.js";
import { Verifiers } from "../ui/verifier.js";
import { whyUnable } from "../verify/signatures.js";

/* So many files are with the workers at one time, for each waits while the next is read. */
const UNDER_WAY = 8;
const SAID_EVERY = 100;

const place = (id) => document.getElementById(id);
const verifier = new Verifiers();
const trusted = new TrustedKeys(showAgain);

/* What is shown: one result, or many of which one may be chosen. A new go ends the one before. */
let go = 0;
let shown = null;
let batch = null;

const say = (sentence) => {
  place("status").textContent = sentence;
};

function showReport(result) {
  shown = result;
  const trust = (signer) => trustSigner(trusted, signer, `the bundle ${result.name}`);
  place("report").replaceChildren(reportView(result, trusted, trust));
}

function showBatch(results) {
  batch = batchView(trusted, (result) => {
    showReport(result);
    place("report").querySelector("h3").focus();
  });
  results.forEach(batch.add);
  batch.flush();
  place("batch").replaceChildren(batch.view);
}

/* Show everything again: what is valid stays, what is trusted has changed. */
function showAgain() {
  showKeys(place("trusted"), trusted);
  if (batch) showBatch(batch.results);
  if (shown) {
    showReport(shown);
    if (!batch) say(verdictOf(shown, trusted.pinned));
  }
}

function begin(sentence) {
  go += 1;
  shown = null;
  batch = null;
  place("report").replaceChildren();
  place("batch").replaceChildren();
  say(sentence);
  return go;
}

async function verifyOne(name, blob, asked = null) {
  const current = begin(`Verifying ${name}…`);
  const result = { name, asked, ...await verifier.verify(blob) };
  if (current !== go) return;
  showReport(result);
  say(verdictOf(result, trusted.pinned));
}

async function verifyMany(files) {
  const current = begin(`Verifying ${files.length} files…`);
  showBatch([]);
  const started = performance.now();
  const underWay = [];
  for (let at = 0; at < files.length; ) {
    while (underWay.length < UNDER_WAY && at + underWay.length < files.length) {
      underWay.push(verifier.verify(files[at + underWay.length].blob));
    }
    const found = await underWay.shift();
    if (current !== go) return;
    batch.add({ name: files[at].name, asked: null, ...found });
    at += 1;
    if (at % SAID_EVERY === 0) say(`${at} of ${files.length} files…`);
  }
  batch.flush();
  const seconds = (performance.now() - started) / 1000;
  say(`${files.length} files: ${countedResults(batch.results, trusted.pinned)}; ` +
    `in ${seconds.toFixed(1)} seconds, ${Math.round(files.length / seconds)} bundles per second.`);
}

function verifyFiles(files) {
  if (files.length === 1) return verifyOne(files[0].name, files[0].blob);
  if (!files.length) return begin("There is no bundle: no file, or no *.json in the folder.");
  if (files.length > MOST_FILES) {
    return begin(`More than ${MOST_FILES} files: the command 'pith-ingest verify' takes any number.`);
  }
  return verifyMany(files);
}

async function verifyAddress(text, registry) {
  const current = begin("Fetching…");
  try {
    const { url, asked } = bundleAddress(text, registry);
    const blob = await fetchBundle(url);
    if (current === go) await verifyOne(url, blob, asked);
  } catch (error) {
    if (!(error instanceof CannotFetch)) throw error;
    if (current === go) say(error.message);
  }
}

function takeFiles() {
  place("files").addEventListener("change", ({ target }) => verifyFiles(chosenFiles(target.files)));
  place("folder").addEventListener("change", ({ target }) => verifyFiles(chosenFolder(target.files)));
  const drop = place("drop");
  // On the whole page: a browser would open what is dropped beside the frame instead of it.
  addEventListener("dragover", (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.add("over");
  });
  addEventListener("dragleave", () => drop.classList.remove("over"));
  addEventListener("drop", async (event) => {
    if (!event.dataTransfer.types.includes("Files")) return;
    event.preventDefault();
    drop.classList.remove("over");
    const files = droppedFiles(event.dataTransfer);
    try {
      verifyFiles(await files);
    } catch {
      begin("What was dropped cannot be read; choose the files instead.");
    }
  });
}

function takeAddresses() {
  const form = place("address");
  const { number, registry } = form.elements;
  const root = new URL(`${place("verify").dataset.root}/`, location.href);
  registry.value ||= root.href.replace(/\/$/, "");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    verifyAddress(number.value, registry.value);
  });
}

const unable = await whyUnable();
if (unable === null) {
  takeFiles();
  takeAddresses();
  takePastedKeys(place("trusted"), trusted);
  await showKeys(place("trusted"), trusted);
  place("verify").hidden = false;
} else {
  place("unable").textContent = unable;
}
