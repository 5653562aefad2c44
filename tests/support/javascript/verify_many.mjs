// Verifies many bundles by flows/registry/static/verify.js: `node verify_many.mjs VERIFY_JS KEY…`.
// Standard input: for each bundle four bytes of its length, most significant first, and its bytes.
// Standard output: a report per line. Keys are in hex.
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [script, ...keys] = process.argv.slice(2);
const { verifyBundle } = await import(pathToFileURL(script));
const pinned = keys.map((key) => Uint8Array.from(Buffer.from(key, "hex")));
const input = readFileSync(0);
for (let at = 0; at < input.length; ) {
  const length = input.readUInt32BE(at);
  const data = Uint8Array.from(input.subarray(at + 4, at + 4 + length));
  at += 4 + length;
  process.stdout.write(`${JSON.stringify(await verifyBundle(data, pinned))}\n`);
}
