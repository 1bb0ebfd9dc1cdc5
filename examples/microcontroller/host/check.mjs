// SPDX-License-Identifier: Apache-2.0
// node host/check.mjs BOARD FOLDER IMAGE
// Runs the IMAGE for BOARD in QEMU, asks it the questions in FOLDER and prints
// as JSON: the recall@10 of its answers against exact search in the vectors as they
// were before compression, by the query's vector as the device makes it; what it
// said at its end; ticks and instructions for each question; and a hash of the
// answers, which must be the same on every board.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { average, DIMENSIONS, dot } from "./meaning.mjs";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const [board, data, image] = process.argv.slice(2);
const folder = join(resolve(root, data), "/");
// A tick is 40 ns of the board's clock, or 31.25; an instruction takes 2^2 ns
// under -icount shift=2.
const INSTRUCTIONS = (board === "mps3-an547" ? 31.25 : 40) / 4;

function textTable(name) {
  const bytes = readFileSync(folder + name);
  const begin = (i) => bytes.readUInt32LE(4 * (i + 1));
  return Array.from({ length: bytes.readUInt32LE(0) }, (_, i) => bytes.subarray(begin(i), begin(i + 1)).toString());
}

function vectors(name) {
  const bytes = readFileSync(folder + name);
  const floats = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  return Array.from({ length: floats.length / DIMENSIONS }, (_, i) =>
    floats.subarray(i * DIMENSIONS, (i + 1) * DIMENSIONS));
}

function ask(questions) {
  const { status, stdout, stderr, error } = spawnSync("qemu-system-arm", [
    "-M", board, "-display", "none", "-monitor", "none", "-serial", "none", "-icount", "shift=2",
    "-semihosting-config", "enable=on,target=native", "-kernel", resolve(root, image),
  ], { input: questions.join("\n") + "\n", maxBuffer: 1 << 26, encoding: "utf8" });
  if (status !== 0) throw new Error(`${board}: exit code ${status}: ${error ?? stderr}\n${stdout.slice(-500)}`);
  return stdout;
}

const questions = readFileSync(`${folder}questions.txt`, "utf8").trim().split("\n");
const said = ask(questions);
const answers = said.split(/^> .*\n/m).slice(1);
if (answers.length !== questions.length) throw new Error(`${answers.length} answers to ${questions.length} questions`);

const texts = textTable("passages.bin");
const passages = vectors("passages.f32");
const norms = passages.map((v) => Math.hypot(...v));
const decoded = vectors("words.decoded.f32");
const words = new Map(textTable("words.bin").map((word, i) => [word, decoded[i]]));

function exact(question) {
  const query = average(words, question);
  return passages
    .map((v, i) => ({ i, near: dot(query, v) / norms[i] }))
    .sort((a, b) => b.near - a.near || a.i - b.i)
    .slice(0, 10)
    .map(({ i }) => texts[i]);
}

const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
const found = answers.map((answer) => [...answer.matchAll(/^  (?:\. )?-?\d+\.\d{3}  (.*)$/gm)].map(([, text]) => text));
const ticks = answers.map((answer) => /\[ticks: (\d+) for the vector, (\d+) for the search\]/.exec(answer).slice(1).map(Number));
const ram = /ram: (\d+) bytes of variables, of which scratch (\d+) used; stack (\d+) of (\d+)/.exec(said).slice(1).map(Number);

console.log(JSON.stringify({
  board,
  passages: texts.length,
  questions: questions.length,
  recall: mean(questions.map((question, i) => exact(question).filter((text) => found[i].includes(text)).length / 10)),
  flash: /^flash: (.*)$/m.exec(said)[1],
  variables: ram[0],
  scratch: ram[1],
  stack: ram[2],
  stackRoom: ram[3],
  vectorInstructions: Math.round(mean(ticks.map(([t]) => t)) * INSTRUCTIONS),
  searchInstructions: Math.round(mean(ticks.map(([, t]) => t)) * INSTRUCTIONS),
  answers: createHash("sha256").update(JSON.stringify(found)).digest("hex").slice(0, 16),
}));
