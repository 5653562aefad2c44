/* Reading JSON that nobody vouches for: one meaning, or none (section 2 of docs/format.md). */

import { Unreadable } from "./outcomes.js";

/* A larger document is refused unread. */
export const MAX_BYTES = 8 * 2 ** 20;

/* Commas and opening brackets, each of which may begin a value. */
const MAX_VALUES = 400_000;
const MAX_INTEGER = 2 ** 53;
const MAX_DEPTH = 900;

export function readJson(data) {
  if (data.length > MAX_BYTES) throw new Unreadable(`larger than ${MAX_BYTES} bytes`);
  if (data.length > MAX_VALUES && countValues(data) > MAX_VALUES) {
    throw new Unreadable(`more than ${MAX_VALUES} values`);
  }
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new Unreadable("not UTF-8");
  }
  const reader = new Reader(text);
  const value = reader.value(0);
  reader.end();
  return value;
}

function countValues(data) {
  const [comma, bracket, brace] = [0x2c, 0x5b, 0x7b];
  let count = 0;
  for (const byte of data) count += byte === comma || byte === bracket || byte === brace;
  return count;
}

class Reader {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  fail(what = "not JSON") {
    throw new Unreadable(`${what} (character ${this.at})`);
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text);
    if (!found) this.fail();
    this.at = pattern.lastIndex;
    return found[0];
  }

  next() {
    this.match(/[ \t\n\r]*/y);
    return this.text[this.at];
  }

  take(character) {
    if (this.next() !== character) return false;
    this.at += 1;
    return true;
  }

  end() {
    if (this.next() !== undefined) this.fail("something after the value");
  }

  value(depth) {
    if (depth > MAX_DEPTH) this.fail("nested too deeply");
    const first = this.next();
    if (first === "{") return this.object(depth);
    if (first === "[") return this.array(depth);
    if (first === '"') return this.string();
    if (first === "t" || first === "f" || first === "n") {
      return { true: true, false: false, null: null }[this.match(/true|false|null/y)];
    }
    return this.integer();
  }

  object(depth) {
    const value = Object.create(null);
    this.at += 1;
    if (this.take("}")) return value;
    do {
      if (this.next() !== '"') this.fail();
      const key = this.string();
      if (key in value) this.fail(`the key ${JSON.stringify(key).slice(0, 80)} stands twice`);
      if (!this.take(":")) this.fail();
      value[key] = this.value(depth + 1);
    } while (this.take(","));
    if (!this.take("}")) this.fail();
    return value;
  }

  array(depth) {
    const value = [];
    this.at += 1;
    if (this.take("]")) return value;
    do value.push(this.value(depth + 1));
    while (this.take(","));
    if (!this.take("]")) this.fail();
    return value;
  }

  string() {
    const start = this.at;
    let end = start + 1;
    while (end < this.text.length && this.text[end] !== '"') end += this.text[end] === "\\" ? 2 : 1;
    this.at = end + 1;
    try {
      // Of one JSON string, JSON.parse knows one meaning.
      return JSON.parse(this.text.slice(start, this.at));
    } catch {
      return this.fail();
    }
  }

  integer() {
    const text = this.match(/-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?/y);
    if (/[.eE]/.test(text)) this.fail("a number that is not an integer");
    if (text.length > 17 || BigInt(text) > MAX_INTEGER || BigInt(text) < -MAX_INTEGER) {
      this.fail("an integer that is too large");
    }
    return Number(text) || 0; // never minus zero
  }
}
