// Builds the page: `node build.mjs [FOLDER]`; without a folder, the one that hemora-serve takes in.
// The same sources and lock give the same bytes.
import { build } from "esbuild";
import { copyFile, mkdir, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** All files together, bytes. */
const AT_MOST = 150_000;

const here = dirname(fileURLToPath(import.meta.url));
const out = resolve(process.argv[2] ?? join(here, "../crates/hemora-serve/page"));

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  absWorkingDir: here,
  entryPoints: { app: "src/main.tsx" },
  outdir: out,
  bundle: true,
  minify: true,
  format: "esm",
  target: ["chrome110", "firefox115", "safari17"],
  inject: ["jsx.js"],
  tsconfigRaw: { compilerOptions: { jsx: "react", jsxFactory: "h", jsxFragmentFactory: "Fragment", target: "ES2022" } },
  charset: "utf8",
  legalComments: "none",
  logLevel: "warning",
});
for (const name of ["index.html", "icon.svg"]) await copyFile(join(here, name), join(out, name));
const preact = join(here, "node_modules/preact");
const { version } = JSON.parse(await readFile(join(preact, "package.json"), "utf8"));
const licence = await readFile(join(preact, "LICENSE"), "utf8");
await writeFile(join(out, "licences.txt"), `app.js contains Preact ${version}:\n\n${licence}`);

let all = 0;
for (const name of (await readdir(out)).sort()) {
  const { size } = await stat(join(out, name));
  all += size;
  console.log(`${String(size).padStart(8)}  ${name}`);
}
console.log(`${String(all).padStart(8)}  in all, of at most ${AT_MOST}`);
if (all > AT_MOST) {
  console.error(`the page has ${all} bytes; it may have ${AT_MOST}`);
  process.exit(1);
}
