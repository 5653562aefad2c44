/* The keys that the visitor trusts: asking before one is, the list, adding and removing. */

import { button, element, foreign, printable } from "./elements.js";
import { fingerprintOf, pastedKey } from "./trusted-keys.js";

/* Ask whether a signer's key is to be trusted, and add it if so. */
export async function trustSigner(trusted, signer, source) {
  if (await askToTrust(signer.fingerprint, source)) trusted.add(signer.public_key, source);
}

/* Show the keys in the list of a page's section, again whenever it is called. */
export async function showKeys(section, trusted) {
  const items = await Promise.all(trusted.all.map(async (key) => {
    const fingerprint = await fingerprintOf(key.public_key);
    const remove = button("Remove", () => trusted.remove(key.public_key),
      { "aria-label": `Remove the key ${fingerprint}` });
    return element("li", {}, element("code", {}, fingerprint),
      " added ", foreign(key.added_at), " from ", foreign(key.source), " ", remove);
  }));
  const none = element("li", {}, "None yet: so a bundle can be valid, but not trusted.");
  section.querySelector("ul").replaceChildren(...(items.length ? items : [none]));
  section.querySelector(".trouble").textContent = trusted.trouble ?? "";
}

/* Let the section's form add a key that is pasted. */
export function takePastedKeys(section, trusted) {
  const form = section.querySelector("form");
  const { key, source } = form.elements;
  key.addEventListener("input", () => key.setCustomValidity(""));
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const public_key = pastedKey(key.value);
    if (public_key === null) {
      key.setCustomValidity("Paste an Ed25519 public key: 32 bytes in base64 or hex.");
      key.reportValidity();
      return;
    }
    const from = source.value.trim() || "pasted";
    await trustSigner(trusted, { public_key, fingerprint: await fingerprintOf(public_key) }, from);
    if (trusted.pinned.has(public_key)) form.reset();
  });
}

/* Return whether the visitor says that the key with this fingerprint is to be trusted. */
function askToTrust(fingerprint, source) {
  const title = element("h2", { id: "ask-title" }, "Trust this key?");
  const dialog = element("dialog", { "aria-labelledby": "ask-title" }, title,
    element("p", {}, element("code", {}, fingerprint)),
    element("p", {}, `From: ${printable(source)}.`),
    element("p", {}, "Compare this fingerprint with one that its holder publishes elsewhere: a " +
      "valid bundle alone does not prove who signed it."));
  return new Promise((resolve) => {
    dialog.append(element("p", { class: "buttons" },
      button("Trust it", () => dialog.close("trust")),
      button("Cancel", () => dialog.close(), { autofocus: "" })));
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "trust");
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}
