/* What a check found: nothing, something wrong, or that it lacks what it needs. */

const MAX_DETAIL = 300;

/* Bytes that are no JSON with one meaning, or no bundle. */
export class Unreadable extends Error {}

/* Something is wrong; the message is its detail. */
export class Failed extends Error {}

/* A check lacks what it needs; the message says what. */
export class Unchecked extends Error {}

/* A value without canonical JSON (section 2 of docs/format.md). */
export class NoCanonicalForm extends Failed {}

export function fail(reason) {
  throw new Failed(reason);
}

/* Return the name of a check, its outcome and the detail, cut short: it may repeat a hostile text. */
export async function run(name, check, subject) {
  try {
    await check(subject);
    return { name, outcome: "pass", detail: "" };
  } catch (error) {
    if (!(error instanceof Failed || error instanceof Unchecked)) throw error;
    const outcome = error instanceof Failed ? "fail" : "could not check";
    return { name, outcome, detail: error.message.slice(0, MAX_DETAIL) };
  }
}
