/* The verdict on one bundle, in a word and in a sentence. */

import { isTrusted } from "../verify.js";
import { isAsked } from "../fetch/address.js";
import { printable } from "./elements.js";

export const failureOf = ({ checks }) => checks.find((check) => check.outcome === "fail");

/* Return one of the command line's words, "trusted", "untrusted", "invalid" or "unreadable"; or
   "other" for a valid bundle whose number is not the one that was `asked` for. */
export function statusOf({ report, asked }, pinned) {
  if (report.unreadable !== null) return "unreadable";
  if (!report.valid) return "invalid";
  if (asked && !isAsked(asked, report.pith_number)) return "other";
  return isTrusted(report, pinned) ? "trusted" : "untrusted";
}

/* Return the same in a sentence. */
export function verdictOf(result, pinned) {
  const { report } = result;
  const failure = failureOf(report);
  return {
    trusted: () => "Valid and trusted: every key that signed it is one that you trust.",
    untrusted: () => "Valid, but not trusted: signed by a key that is not among those you trust.",
    other: () => "Valid, but another record than the one that was asked for: " +
      `${printable(report.pith_number)}.`,
    invalid: () => `Not valid: ${failure.name}: ${printable(failure.detail)}`,
    unreadable: () => `Could not be read: ${printable(report.unreadable)}.`,
  }[statusOf(result, pinned)]();
}
