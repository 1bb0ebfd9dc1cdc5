// SPDX-License-Identifier: Apache-2.0
// node embedded/packages/fill.mjs
//
// Minnow in the layout of every package system, each a folder of build/packages:
// the files of its template here with the version put in, the amalgamation, the
// example that all have in common, and the license.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const root = join(here, "../..");
const out = join(root, "build/packages");
const amalgamation = join(root, "build/amalgamation");

// Where the header, and the example's files, go; the source goes to src.
const PACKAGES = {
  platformio: { header: "include", example: "examples/nearest/src", main: true },
  arduino: { header: "src", example: "examples/Minnow" }, // its main is a sketch
  "esp-idf": { header: "include", example: "examples/nearest/main", main: true },
  zephyr: { header: "include", example: "samples/nearest/src", main: true },
  "cmsis-pack": { header: "include", example: "examples/nearest", main: true },
};

execFileSync(process.execPath, [join(here, "../amalgamate.mjs"), amalgamation]);
const header = readFileSync(join(amalgamation, "minnow.h"), "utf8");
const version = ["MAJOR", "MINOR", "PATCH"]
  .map((part) => new RegExp(`MN_VERSION_${part} +(\\d+)`).exec(header)[1])
  .join(".");

const copy = (from, to) => {
  mkdirSync(dirname(to), { recursive: true });
  cpSync(from, to);
};

for (const [name, { header: includes, example, main }] of Object.entries(PACKAGES)) {
  const from = join(here, name);
  const to = join(out, name);
  rmSync(to, { recursive: true, force: true });
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath ?? entry.path, entry.name);
    const target = join(to, path.slice(from.length));
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, readFileSync(path, "utf8").replaceAll("@VERSION@", version));
  }
  copy(join(amalgamation, "minnow.c"), join(to, "src/minnow.c"));
  copy(join(amalgamation, "minnow.h"), join(to, includes, "minnow.h"));
  copy(join(root, "LICENSE"), join(to, "LICENSE"));
  for (const file of ["nearest.c", "nearest.h", ...(main ? ["main.c"] : [])])
    copy(join(here, "example", file), join(to, example, file));
}
