// SPDX-License-Identifier: Apache-2.0
// Cycles of the kernels' inner loops as llvm-mca estimates them from its models
// of processors: of the whole loop; at best, if nothing waited for anything; and of
// its loads alone, which no arithmetic can be faster than. Caches answer at once there, and branches are
// foreseen.
import { execFileSync, spawnSync } from "node:child_process";

const AARCH64 = { triple: "aarch64", features: "+dotprod,+i8mm" };
const M55 = { triple: "thumbv8.1m.main-none-eabi", features: "+mve.fp" };
const M4 = { triple: "thumbv7em-none-eabihf", features: "+vfp4d16sp" };
export const MODELS = {
  AArch64: { ...AARCH64, processors: ["neoverse-n1", "cortex-a55"] },
  "Cortex-M55": { ...M55, processors: ["cortex-m55"] },
  "Cortex-M4": { ...M4, processors: ["cortex-m4", "cortex-m7"] },
};

const LOAD = /^(ld|vld|ldr|vldr|ldrd|vldm)/;
const MULTIPLY = /^(sdot|udot|usdot|smull|smlal|smlal2|saddw|sadalp|saddlp|fmul|fadd|vmlada|vaddva|vmul|vmla|smlad|cnt|tbl|cmtst|vldrb\.u16|ldrb)/;

/** The function's instructions: [{at, text}], `text` without addresses. */
function disassemble(program, name, { triple, features }) {
  const text = execFileSync("llvm-objdump-22", ["-d", "--no-show-raw-insn", `--triple=${triple}`, `--mattr=${features}`,
    `--disassemble-symbols=${name}`, program], { encoding: "utf8", maxBuffer: 1 << 26 });
  return [...text.matchAll(/^\s*([0-9a-f]+):\s+(\S.*)$/gm)].map(([, at, line]) => ({
    at: parseInt(at, 16),
    text: line.replace(/\s+(\/\/|@|;).*$/, "").replace(/\s*<[^>]*>/g, "").replace(/\s+/g, " ").trim(),
  }));
}

/** Of the loops without another jump inside, that which multiplies most, and
 * most densely; or the nth in length. */
function innerLoop(lines, nth) {
  const inner = lines.flatMap(({ text }, i) => {
    const to = /^(?:b\S*|cbn?z\S*|tbn?z|le) .*?0x([0-9a-f]+)$/.exec(text);
    const begin = to && lines.findIndex((line) => line.at === parseInt(to[1], 16));
    const straight = (from) => !lines.slice(from, i).some((line) => /^(b|bl|b\..*|b(eq|ne|hi|ls|hs|lo|cc|cs|mi|pl)(\.w)?|cbn?z|tbn?z|le|ret) /.test(`${line.text} `));
    return to && begin >= 0 && begin <= i && straight(begin) ? [{ begin, end: i + 1 }] : [];
  });
  const work = ({ begin, end }) => lines.slice(begin, end).filter(({ text }) => MULTIPLY.test(text)).length ** 2 / (end - begin);
  const size = ({ begin, end }) => end - begin;
  const best = nth === undefined ? inner.sort((a, b) => work(b) - work(a))[0] : inner.sort((a, b) => size(a) - size(b))[nth];
  return best && lines.slice(best.begin, best.end).map(({ text }) => text);
}

/** Cycles an iteration, once it has got going; and at best, were its instructions
 * independent (llvm-mca's "Block RThroughput": units and issue width). */
function estimate(loop, { triple, features }, processor) {
  const known = loop.filter((line) => !/^le /.test(line)); // costs nothing from the second time on
  const source = `.Lloop:\n${known.map((line) => line.replace(/0x[0-9a-f]+$/, (word) => (/^(b|cb|tb|le )/.test(line) ? ".Lloop" : word))).join("\n")}\n`;
  const iterations = 1000;
  const { status, stdout, stderr } = spawnSync("llvm-mca-22", [`-mtriple=${triple}`, `-mattr=${features}`, `-mcpu=${processor}`,
    `-iterations=${iterations}`, "-skip-unsupported-instructions=lack-sched", "-instruction-info=0", "-resource-pressure=0"], { input: source, encoding: "utf8" });
  if (status !== 0) throw new Error(`llvm-mca: ${stderr}\n${source}`);
  return {
    cycles: Number(/^Total Cycles: +(\d+)/m.exec(stdout)[1]) / iterations,
    bound: Number(/^Block RThroughput: +([\d.]+)/m.exec(stdout)[1]),
  };
}

/** What the inner loop of the function `name` holds, and its cycles by processor:
 * {instructions, loads, cycles: {processor: {all, bound, loads}}}; undefined where it
 * has no loop of its own. `nth`: of several loops, in order of length. */
export function inspectLoop(program, name, model, nth) {
  const loop = innerLoop(disassemble(program, name, model), nth);
  if (!loop) return undefined;
  const loads = loop.filter((line) => LOAD.test(line));
  return {
    instructions: loop.length,
    loads: loads.length,
    cycles: Object.fromEntries(model.processors.map((processor) => {
      const all = estimate(loop, model, processor);
      return [processor, { all: all.cycles, bound: all.bound, loads: estimate(loads, model, processor).bound }];
    })),
  };
}
