/* The table of many bundles: a row each, and a button that shows its report. */

import { button, element, foreign } from "./elements.js";
import { failureOf, statusOf } from "./verdict.js";

const WORDS = {
  trusted: "✓ valid, trusted",
  untrusted: "✓ valid, not trusted",
  invalid: "✗ not valid",
  unreadable: "? unreadable",
};

/* A table is laid out again whenever rows come, so they come in groups. */
const ROWS_AT_ONCE = 50;

/* Return the element of the table, its results, and functions that add one and show all added. */
export function batchView(trusted, show) {
  const body = element("tbody");
  const results = [];
  const onlyBad = element("input", { type: "checkbox", id: "only-bad" });
  const heads = ["File", "Result", "Pith number or what is wrong", "Report"].map((text) =>
    element("th", { scope: "col" }, text));
  const table = element("table", { class: "batch" },
    element("caption", {}, "Files"),
    element("thead", {}, element("tr", {}, ...heads)), body);
  const filter = element("p", {}, onlyBad, " ",
    element("label", { for: "only-bad" }, "only what is not valid"));
  onlyBad.addEventListener("change", () =>
    table.classList.toggle("only-bad", onlyBad.checked));
  const rows = [];
  const flush = () => body.append(...rows.splice(0));
  const add = (result) => {
    results.push(result);
    rows.push(rowOf(result, trusted, show));
    if (rows.length === ROWS_AT_ONCE) flush();
  };
  return { view: element("div", {}, filter, table), results, add, flush };
}

function rowOf(result, trusted, show) {
  const { name, report } = result;
  const status = statusOf(result, trusted.pinned);
  const failure = failureOf(report);
  const found = failure ? `${failure.name}: ${failure.detail}`
    : report.unreadable ?? report.pith_number;
  return element("tr", { "data-status": status },
    element("th", { scope: "row" }, foreign(name, 200)),
    element("td", { class: "outcome" }, WORDS[status]),
    element("td", {}, foreign(found)),
    element("td", {}, button("Show", () => show(result), { "aria-label": `Show ${name}` })));
}

/* Return how many of the results are of which status, in a sentence. */
export function countedResults(results, pinned) {
  const count = { trusted: 0, untrusted: 0, invalid: 0, unreadable: 0 };
  for (const result of results) count[statusOf(result, pinned)] += 1;
  return `${count.trusted + count.untrusted} valid, ${count.trusted} trusted, ` +
    `${count.invalid} not valid, ${count.unreadable} unreadable`;
}
