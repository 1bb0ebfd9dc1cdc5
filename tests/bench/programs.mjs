// SPDX-License-Identifier: Apache-2.0
// The programs in C: compiled into build/bench, asked a line at a time.
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { root } from "./data.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const out = join(root, "build/bench");
const library = join(root, "build/native/libminnow.a");

/** compile("cc", "name", ...flags and files of this folder). */
export function compile(compiler, name, ...parts) {
  mkdirSync(out, { recursive: true });
  execFileSync(compiler, ["-O3", "-o", join(out, name), ...parts], { cwd: here, stdio: "inherit" });
}

/** As a packager compiles: no -march. Minnow chooses its kernels at run time. */
export function compileWithMinnow(name, ...parts) {
  if (!existsSync(library)) throw new Error(`${library} is missing: cmake --preset native && cmake --build --preset native`);
  compile("cc", name, "-std=c11", ...parts, library, "-lm");
}

/** With AVX2 distances, which Debian's Faiss lacks (faiss_avx2.cpp). */
export function compileWithFaiss(name, ...parts) {
  const wrapped = ["_ZN5faiss18fvec_inner_productEPKfS1_m", "_ZN5faiss10fvec_L2sqrEPKfS1_m"];
  compile("c++", name, "-mavx2", "-mfma", ...wrapped.map((symbol) => `-Wl,--wrap=${symbol}`), "faiss_avx2.cpp",
    "-fopenmp", ...parts, "-lfaiss", "-llapack", "-lblas");
}

/** Where hnswlib's graph of a set (M 16, ef_construction 200) is kept. */
export const keptGraph = (set) => join(out, `${set.name}.hnswlib`);

/** A program that writes a line of JSON when it is ready and one for each line
 * that it reads. */
export async function launch(name, args) {
  const child = spawn(join(out, name), args, { stdio: ["pipe", "pipe", "inherit"] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const answer = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${name} ${args.join(" ")} stopped`);
    return JSON.parse(value);
  };
  return {
    ready: await answer(),
    ask(line) {
      child.stdin.write(`${line}\n`);
      return answer();
    },
    close: () => child.stdin.end(),
  };
}
