// SPDX-License-Identifier: Apache-2.0
// node tests/size/check.mjs [--update]
// Builds the core for a Cortex-M4 as features.mjs says, links what each feature
// calls, and fails where flash or stack pass their budgets, or anything is
// missing that a compiler may not call (memcpy, memset). --update writes the
// table to embedded/SIZES.md. Needs arm-none-eabi-gcc.
import { execFileSync } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";

import { FEATURES } from "./features.mjs";
import { deepest, pointedAt, readCallGraph } from "./stack.mjs";

process.chdir(fileURLToPath(new URL("../..", import.meta.url)));
const CPU = ["-mcpu=cortex-m4", "-mthumb", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"];
const FLAGS = [...CPU, "-std=c11", "-Os", "-ffreestanding", "-fno-math-errno", "-ffp-contract=off",
  "-ffunction-sections", "-fdata-sections", "-Wall", "-Wextra", "-Werror"];
const run = (command, words, options) => execFileSync(command, words, { encoding: "utf8", ...options });
const sources = ["core", ...readdirSync("core", { withFileTypes: true }).filter((e) => e.isDirectory()).map((e) => `core/${e.name}`)]
  .flatMap((folder) => readdirSync(folder).filter((name) => name.endsWith(".c")).map((name) => `${folder}/${name}`));
const MEMORY = "examples/microcontroller/firmware/memory.c";

// Each set of macros is compiled once.
const builds = new Map();
function build(leave) {
  const key = [...leave].sort().join(" ");
  if (builds.has(key)) return builds.get(key);
  const folder = `build/size/${builds.size}`;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const macros = leave.map((name) => `-D${name}`);
  const script = `name=$(echo "$1" | tr / _); shift; "$@" -fcallgraph-info=su -c "$SOURCE" -o "${folder}/$name.o"`;
  run("xargs", ["-P", String(availableParallelism()), "-I{}", "sh", "-c",
    `SOURCE={}; set -- {} arm-none-eabi-gcc ${[...FLAGS, ...macros].join(" ")}; ${script}`], { input: sources.join("\n") });
  run("arm-none-eabi-gcc", [...FLAGS, "-fno-tree-loop-distribute-patterns", "-c", MEMORY, "-o", `${folder}/memory.o`]);
  const names = readdirSync(folder).map((name) => `${folder}/${name}`);
  const objects = names.filter((name) => name.endsWith(".o"));
  const built = {
    folder,
    objects,
    graph: readCallGraph(names.filter((name) => name.endsWith(".ci"))),
    tables: objects.filter((name) => !name.endsWith("memory.o"))
      .flatMap((name) => pointedAt(name, sources.find((s) => name.endsWith(`/${s.replaceAll("/", "_")}.o`)))),
  };
  builds.set(key, built);
  return built;
}

function measure({ calls, leave }) {
  const { folder, objects, graph, tables } = build(leave);
  const elf = `${folder}/${calls.length}.elf`;
  run("arm-none-eabi-gcc", [...CPU, "-nostdlib", "-Wl,--gc-sections", "-Wl,-e,mn_index_open",
    ...calls.map((name) => `-Wl,-u,${name}`), ...objects, "-lgcc", "-o", elf]);
  const [text, data, bss] = run("arm-none-eabi-size", [elf]).split("\n")[1].trim().split(/\s+/).map(Number);
  const linked = new Set(run("arm-none-eabi-nm", [elf]).split("\n").map((line) => line.split(" ")[2]));
  const stacks = calls.map((name) => deepest(name, graph, tables, linked));
  return { flash: text + data, ram: data + bss, stack: stacks.reduce((a, b) => (b.bytes > a.bytes ? b : a)) };
}

let passed = 0, failed = 0;
const check = (holds, complaint) => {
  if (holds) passed++;
  else failed++, console.log(`FAILED ${complaint}`);
};

const rows = [];
for (const feature of FEATURES) {
  const { flash, ram, stack } = measure(feature);
  console.log(`${flash} of ${feature.flash}, stack ${stack.bytes} of ${feature.stack}: ${feature.name}\n    ${stack.path.join(" > ")}`);
  check(flash <= feature.flash, `${feature.name}: ${flash} bytes of flash, budget ${feature.flash}`);
  check(stack.bytes <= feature.stack, `${feature.name}: ${stack.bytes} bytes of stack, budget ${feature.stack}`);
  check(ram === 0, `${feature.name}: ${ram} bytes of variables`);
  rows.push(`| ${feature.name} | ${[flash, feature.flash, stack.bytes, feature.stack].map((n) => n.toLocaleString("en")).join(" | ")} |`);
}

if (process.argv[2] === "--update") {
  writeFileSync("embedded/SIZES.md", `# What features take on a Cortex-M4

Bytes, by arm-none-eabi-gcc 12 at \`-Os\`, of the core's code and constants in flash, with what it needs of libgcc; and of the deepest stack, by adding up frames along the calls (\`-fcallgraph-info=su\`), where a call by pointer may be of any function in the tables. There are no variables: other RAM is the caller's arena, whose need \`mn_plan\` tells. \`node tests/size/check.mjs\` measures and fails where a budget is passed; with \`--update\` it writes this file. tests/size/features.mjs has the macros of each row.

| what | flash | budget | stack | budget |
|---|--:|--:|--:|--:|
${rows.join("\n")}
`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed ? 1 : 0;
