// Calls functions of the verifier's modules in flows/registry/static: `node call_verify.mjs STATIC`.
// Standard input: JSON, a list of [module, name, argument, …]; an argument {"hex": …} becomes bytes.
// Standard output: JSON, the list of results.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const folder = pathToFileURL(`${process.argv[2]}/`);
const results = [];
for (const [module, name, ...values] of JSON.parse(readFileSync(0))) {
  const { [name]: called } = await import(new URL(module, folder));
  const given = values.map((value) =>
    value !== null && typeof value === "object" && "hex" in value
      ? Uint8Array.from(Buffer.from(value.hex, "hex"))
      : value);
  results.push(await called(...given));
}
process.stdout.write(JSON.stringify(results));
