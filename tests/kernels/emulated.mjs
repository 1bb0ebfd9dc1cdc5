// SPDX-License-Identifier: Apache-2.0
// kernels_check on every emulated processor (tests/emulated.mjs).
import { execFile } from "node:child_process";
import { cpus } from "node:os";
import { EMULATED, inParallel } from "../emulated.mjs";

const root = new URL("../../", import.meta.url).pathname;
const seed = String(Date.now());
let passed = 0;
let failed = 0;

function output([command, args]) {
  return new Promise((done) => {
    execFile(command, args, { cwd: root }, (error, stdout, stderr) =>
      done({ code: error ? (error.code ?? error.signal) : 0, text: stdout + stderr }),
    );
  });
}

await inParallel(EMULATED, cpus().length, async ({ name, preset, run }) => {
  const [command, args] = run(`build/${preset}/tests/kernels_check`);
  const { code, text } = await output([command, [...args, seed, "--few"]]);
  const [, p, f] = text.match(/(\d+) passed, (\d+) failed\s*$/) ?? [0, 0, 0];
  passed += Number(p);
  failed += Number(f);
  if (code !== 0 && Number(f) === 0) failed++;
  const tables = text.match(/^(c|neon|dotprod|i8mm|dsp|mve)$/gm) ?? [];
  console.log(`${name.padEnd(20)} ${tables.join(" ")}: ${p} passed, ${f} failed`);
  if (code !== 0) console.log(`ended with ${code}:\n${text}`);
});
console.log(`seed ${seed}`);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed || !passed ? 1 : 0;
