// SPDX-License-Identifier: Apache-2.0
// ask.mjs, as a user runs it.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const script = fileURLToPath(new URL("../ask.mjs", import.meta.url));
const ask = (...words) => promisify(execFile)(process.execPath, [script, ...words]);

export async function checkTerminal(check) {
  await check("terminal: umbrella, dentist and swim are among the first three", async () => {
    const { stdout } = await ask(
      "--limit", "3", "something that keeps the rain off", "a doctor who looks after teeth",
      "to move through water with arms and legs",
    );
    const answers = stdout.trim().split("\n\n");
    assert.equal(answers.length, 3);
    assert.match(answers[0], /^something that keeps the rain off\n[^]* umbrella \(noun\): a lightweight/);
    assert.match(answers[1], /^a doctor who looks after teeth\n  0\.\d+  dentist, /);
    assert.match(answers[2], /^to move through water with arms and legs\n  0\.\d+  swim \(verb\)/);
    assert.match(stdout, /5,000 definitions, encoded in [\d.]+ ms, searched in [\d.]+ ms: [\d,]+ distances/);
    assert.match(stdout, /, 92 refined, [\d,]+ bytes read\n/); // four times 3 + 20
  });

  await check("terminal: reads as many planes as it is told", async () => {
    const { stdout } = await ask("--planes", "1", "a doctor who looks after teeth");
    assert.match(stdout, /^\na doctor who looks after teeth\n  0\.\d+  dentist, /);
    const [, distances, bytes] = /: ([\d,]+) distances, 0 refined, ([\d,]+) bytes read\n$/.exec(stdout)
      .map((text) => Number(text.replaceAll(",", "")));
    assert.ok(distances > 100 && distances < 2000, `${distances} distances`);
    assert.equal(bytes, 68 * distances);
  });

  await check("terminal: says how to use it", async () => {
    await assert.rejects(ask(), { code: 2, stderr: /usage: node ask\.mjs/ });
    await assert.rejects(ask("--limit", "none", "x"), { code: 2 });
    await assert.rejects(ask("--planes", "3", "x"), { code: 2 });
  });
}
