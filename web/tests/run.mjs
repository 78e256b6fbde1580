// Runs the browser tests: node run.mjs HEMORA [FILE.test.mjs …]
//
// Starts one node for all of them, and tells them of it in HEMORA_PAGE_WORLD.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { makeWorld } from "./support/world.mjs";

const here = fileURLToPath(new URL(".", import.meta.url));
const [program, ...named] = process.argv.slice(2);
if (!program) {
  console.error("usage: node run.mjs HEMORA [FILE.test.mjs …]");
  process.exit(2);
}
const files = named.length > 0 ? named : readdirSync(here).filter((name) => name.endsWith(".test.mjs")).sort();
const started = Date.now();
const { world, node, end } = await makeWorld(program);
console.error(`a node with ${Object.keys(world.studies).length} studies after ${(Date.now() - started) / 1000} s`);
let code = 1;
try {
  const path = join(world.folder, "world.json");
  writeFileSync(path, JSON.stringify(world));
  // One after the other: they share the node, and a small machine.
  const options = ["--test", "--test-concurrency=1", ...files.map((file) => join(here, file))];
  const env = { ...process.env, HEMORA_PAGE_WORLD: path };
  const tests = spawn(process.execPath, options, { stdio: "inherit", env, cwd: here });
  [code] = await once(tests, "exit");
  if (code !== 0) console.error((await node.log()).split("\n").slice(-40).join("\n"));
} finally {
  await end();
}
process.exit(code ?? 1);
