// Puts the pages and their scripts together in build/examples, ready to be served as they are.

import { cp, mkdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

import { build } from "esbuild";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = fileURLToPath(new URL("../../build/examples/", import.meta.url));
await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await cp(`${here}pages/`, out, { recursive: true });
await build({
  entryPoints: ["start", "widget", "inbox", "ticker"].map((name) => `src/${name}.ts`),
  absWorkingDir: here,
  outdir: out,
  bundle: true,
  format: "esm",
  target: "es2022",
  sourcemap: true,
  minify: true,
  logLevel: "warning",
});
