/* Making elements. Text becomes text only: nothing in these pages is ever read as HTML. */

const UNPRINTABLE = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu;
const MOST_SHOWN = 600;

/* Return an element with attributes (those that are null are left out) and children. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== null) made.setAttribute(attribute, value);
  }
  made.append(...children);
  return made;
}

/* Return a text from outside on one line, cut short, with each control character written out. */
export function printable(text, most = MOST_SHOWN) {
  const start = Array.from(text.slice(0, 2 * most)).slice(0, most).join("");
  const shown = start.replace(UNPRINTABLE, (character) =>
    `\\u{${character.codePointAt(0).toString(16)}}`);
  return start.length < text.length ? `${shown}…` : shown;
}

/* Return a text from outside as an element whose direction leaves what is around it alone. */
export const foreign = (text, most) => element("bdi", {}, printable(text, most));

/* Return a button that does something. */
export function button(label, act, attributes = {}) {
  const made = element("button", { type: "button", ...attributes }, label);
  made.addEventListener("click", act);
  return made;
}
