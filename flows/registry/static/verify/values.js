/* JSON values and their spellings: kinds, times, hex, base32 and base64. */

export const hex = (bytes) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
export const isAscii = (text) => /^[\u0000-\u007f]*$/.test(text);
export const isObject = (value) =>
  value !== null && typeof value === "object" && !Array.isArray(value);
export const isText = (value) => typeof value === "string";
export const latest = (times) => times.reduce((one, other) => (one > other ? one : other));
export const codePoints = (text) => Array.from(text).length;

export function without(value, ...names) {
  return Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
}

export function hasKeys(value, names) {
  return Object.keys(value).sort().join(" ") === [...names].sort().join(" ");
}

export function base32(digest) {
  const bits = Array.from(digest, (byte) => byte.toString(2).padStart(8, "0")).join("");
  return bits.slice(0, 130).match(/.{5}/g)
    .map((five) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"[parseInt(five, 2)]).join("");
}

export const encodeBase64 = (bytes) => btoa(String.fromCharCode(...bytes));

export function decodeBase64(text, length) {
  if (!isText(text) || !isAscii(text)) return null;
  let binary;
  try {
    binary = atob(text);
  } catch {
    return null;
  }
  // Only its one canonical spelling gives the same text again.
  if (btoa(binary) !== text || binary.length !== length) return null;
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/* Return a time in a form that sorts, or null if it is none (section 2). */
export function instant(text) {
  const form = /^(\d{4})-(\d\d)-(\d\d)T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{6})?Z$/;
  const found = isText(text) && form.exec(text);
  if (!found) return null;
  const [year, month, day] = [+found[1], +found[2], +found[3]];
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1];
  if (year < 1 || !days || day < 1 || day > days) return null;
  return found[4] ? text : `${text.slice(0, -1)}.000000Z`;
}
