// Calls functions of flows/registry/static/verify.js: `node call_verify.mjs VERIFY_JS`.
// Standard input: JSON, a list of [name, argument, …]; an argument {"hex": …} becomes bytes.
// Standard output: JSON, the list of results.
import { readFileSync } from "node:fs";

const source = readFileSync(process.argv[2]).toString("base64");
const verifier = await import(`data:text/javascript;base64,${source}`);
const results = [];
for (const [name, ...values] of JSON.parse(readFileSync(0))) {
  const given = values.map((value) =>
    value !== null && typeof value === "object" && "hex" in value
      ? Uint8Array.from(Buffer.from(value.hex, "hex"))
      : value);
  results.push(await verifier[name](...given));
}
process.stdout.write(JSON.stringify(results));
