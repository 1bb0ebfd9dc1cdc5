// SPDX-License-Identifier: Apache-2.0
// The deepest stack of a program, from gcc's -fcallgraph-info=su: a .ci file for
// each source, with functions, the bytes of their frames, and calls. Calls by
// pointer are of functions in tables of constants; those of kernels call none
// of the others.
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

const INDIRECT = "__indirect_call";

// Node names are "file.c:name" for static functions, else "name".
export function readCallGraph(ciFiles) {
  const frames = new Map();
  const calls = new Map();
  for (const file of ciFiles) {
    const text = readFileSync(file, "utf8");
    for (const [, title, label] of text.matchAll(/node: \{ title: "([^"]+)" label: "([^"]*)"/g)) {
      const bytes = /(\d+) bytes/.exec(label);
      if (bytes) frames.set(title, Number(bytes[1]));
    }
    for (const [, from, to] of text.matchAll(/edge: \{ sourcename: "([^"]+)" targetname: "([^"]+)"/g)) {
      if (!calls.has(from)) calls.set(from, new Set());
      calls.get(from).add(to);
    }
  }
  return { frames, calls };
}

// Functions whose addresses stand in constants of an object, and of which table:
// [{ table, name }].
export function pointedAt(object, source) {
  const text = execFileSync("arm-none-eabi-objdump", ["-r", object], { encoding: "utf8" });
  const found = [];
  let table = "";
  for (const line of text.split("\n")) {
    const heading = /^RELOCATION RECORDS FOR \[\.(?:rodata|data)\S*?\.([^\].]+)\]/.exec(line);
    if (line.startsWith("RELOCATION")) table = heading ? heading[1] : "";
    const entry = /R_ARM_ABS32\s+(?:\.text\.)?([A-Za-z_]\w*)/.exec(line);
    if (table && entry) found.push({ table, name: entry[1], local: `${source}:${entry[1]}` });
  }
  return found;
}

// { bytes, path } from `root` on. `tables`: what pointedAt found in the objects.
export function deepest(root, { frames, calls }, tables, linked) {
  const kernels = [], others = [];
  for (const { table, name, local } of tables) {
    const node = frames.has(local) ? local : name;
    if (frames.has(node) && linked.has(name)) (table.startsWith("mn_kernels") ? kernels : others).push(node);
  }
  const isKernelUser = (node) => others.includes(node) || /^mn_(bits|pq|kmeans)_/.test(node) || node.startsWith("core/encoding/") || node.startsWith("core/transform/");
  const pointed = new Set([...kernels, ...others]);
  const known = new Map();
  const walk = (node, above) => {
    if (known.has(node)) return known.get(node);
    let below = { bytes: 0, path: [] };
    for (const callee of calls.get(node) ?? []) {
      const targets = callee !== INDIRECT ? [callee] : isKernelUser(node) && !node.includes("codec.c:") ? kernels : [...kernels, ...others];
      for (const target of targets) {
        // The tables hold more than any one call by pointer can mean: a loop
        // that goes through them is none. Any other is a recursion.
        const loop = [...above, node];
        const at = loop.indexOf(target);
        if (at >= 0 && loop.slice(at).some((name) => pointed.has(name))) continue;
        if (at >= 0) throw new Error(`recursion: ${[...loop, target].join(" > ")}`);
        const found = walk(target, [...above, node]);
        if (found.bytes > below.bytes) below = found;
      }
    }
    const result = { bytes: (frames.get(node) ?? 0) + below.bytes, path: [node, ...below.path] };
    known.set(node, result);
    return result;
  };
  return walk(root, []);
}
