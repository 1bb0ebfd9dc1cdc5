// SPDX-License-Identifier: Apache-2.0
// The command built for AArch64, on processors that QEMU stands in for: it takes
// the kernels that each can run, never others, and writes and says the same.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { f32, makeRows } from "./vectors.mjs";

const root = fileURLToPath(new URL("../../", import.meta.url));
const COMMAND = `${root}build/aarch64/minnow`;
const PROCESSORS = { max: "i8mm", "cortex-a76": "dotprod", "cortex-a53": "neon" };

// QEMU's log of what it translated names the functions.
function onProcessor(cpu, folder, words, log = []) {
  const { status, stdout, stderr } = spawnSync("qemu-aarch64", ["-cpu", cpu, ...log, COMMAND, ...words],
    { cwd: folder, encoding: "utf8" });
  assert.equal(status, 0, `${cpu}: minnow ${words.join(" ")}: ${stderr}`);
  return stdout;
}

export function run(suite) {
  suite.count("aarch64: the kernels of each processor, and the same answers", () => {
    assert.ok(existsSync(COMMAND), `${COMMAND} is missing; run: cmake --preset aarch64 && cmake --build --preset aarch64`);
    const folder = `${root}build/command-test/aarch64/`;
    mkdirSync(folder, { recursive: true });
    writeFileSync(`${folder}rows.f32`, f32(makeRows(500, 96, 77)));
    let first;
    for (const [cpu, kernels] of Object.entries(PROCESSORS)) {
      onProcessor(cpu, folder, ["build", "rows.f32", "--dimensions", "96", "-o", "rows.index",
        "--metric", "cosine", "--spec", "hnsw16,bits4,refine=sq8"]);
      const said = onProcessor(cpu, folder, ["search", "rows.index", "rows.f32", "-k", "3"],
        ["-d", "in_asm", "-D", `${folder}translated.txt`]);
      const used = new Set(readFileSync(`${folder}translated.txt`, "utf8").match(/^IN: mn_dot_i\w+/gm));
      const whole = kernels === "i8mm" ? "dotprod" : kernels; // i8mm changes one kernel
      assert.deepEqual([...used].sort(), [`IN: mn_dot_i16_i8_${kernels}`, `IN: mn_dot_i8_u4_${whole}`], cpu);
      const made = { said, index: readFileSync(`${folder}rows.index`).toString("base64") };
      assert.ok(said.length > 1000);
      first ??= made;
      assert.ok(made.said === first.said && made.index === first.index, `${cpu}: what max wrote and said`);
    }
  });
}
