/* The button on a record's page that fetches its bundle and verifies it in the browser:

   <button type="button" data-verify-bundle="ADDRESS" data-pith-number="pith:…" hidden>Verify</button>

   It shows itself where the browser can do it, and puts the report behind itself. */

import { CannotFetch, fetchBundle } from "../fetch/address.js";
import { element } from "../ui/elements.js";
import { reportView } from "../ui/report-view.js";
import { trustSigner } from "../ui/trust-view.js";
import { TrustedKeys } from "../ui/trusted-keys.js";
import { verdictOf } from "../ui/verdict.js";
import { Verifiers } from "../ui/verifier.js";
import { whyUnable } from "../verify/signatures.js";

const verifier = new Verifiers();

function prepare(button) {
  const status = element("p", { role: "status" });
  const report = element("div");
  button.after(status, report);
  let result = null;
  const trusted = new TrustedKeys(() => result && show());
  const show = () => {
    const trust = (signer) => trustSigner(trusted, signer, `the record ${result.name}`);
    report.replaceChildren(reportView(result, trusted, trust));
    status.textContent = verdictOf(result, trusted.pinned);
  };
  let isBusy = false;
  button.addEventListener("click", async () => {
    if (isBusy) return;
    isBusy = true;
    const { verifyBundle, pithNumber } = button.dataset;
    status.textContent = "Fetching and verifying…";
    try {
      const blob = await fetchBundle(new URL(verifyBundle, location.href).href);
      const [, year, suffix] = pithNumber.split(":");
      result = { name: pithNumber, asked: { year, suffix }, ...await verifier.verify(blob) };
      show();
    } catch (error) {
      if (!(error instanceof CannotFetch)) throw error;
      status.textContent = error.message;
    } finally {
      isBusy = false;
    }
  });
  button.hidden = false;
}

const unable = await whyUnable();
for (const button of document.querySelectorAll("button[data-verify-bundle]")) {
  if (unable === null) prepare(button);
  else button.after(element("p", {}, unable));
}
