// The types let through what is right and refuse what is wrong, by `tsc --strict`.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const OPTIONS = ["--strict", "--noEmit", "--pretty", "false", "--exactOptionalPropertyTypes"];
const TARGET = ["--target", "es2022", "--module", "nodenext"];

/** The lines with a complaint, and the whole of what was said. */
function compiled(file) {
  const tsc = ["node_modules/typescript/bin/tsc", ...OPTIONS, ...TARGET, file];
  const { status, stdout } = spawnSync(process.execPath, tsc, { cwd: HERE, encoding: "utf8" });
  const lines = [...stdout.matchAll(/^(\S+?)\((\d+),\d+\): error/gm)];
  assert.equal(status === 0, lines.length === 0, stdout);
  return { stdout, places: [...new Set(lines.map(([, name, line]) => `${name}:${line}`))] };
}

test("the types themselves are sound", () => {
  const { stdout, places } = compiled("../../schemas/typescript/fernamt.d.ts");
  assert.deepEqual(places, [], stdout);
});

test("a front end that is written rightly compiles", () => {
  const { stdout, places } = compiled("right.ts");
  assert.deepEqual(places, [], stdout);
});

test("every mistake is refused, and nothing else", async () => {
  const source = await readFile(`${HERE}/wrong.ts`, "utf8");
  const marked = source
    .split("\n")
    .flatMap((line, index) => (line.includes("// wrong: ") ? [`wrong.ts:${index + 1}`] : []));
  assert.ok(marked.length > 10);
  const { stdout, places } = compiled("wrong.ts");
  assert.deepEqual(places, marked, stdout);
});
