// SPDX-License-Identifier: Apache-2.0
// Getting the WebAssembly module: one of two twins that come inside the
// package, each in a JavaScript module of its own so that only the one that is
// needed is loaded, as is what linking threads run. No fetch, no path, no
// configuration.
import { is, kind } from "./check.js";
import type { WasmSource } from "./types.js";

type Twin = "simd" | "scalar" | "parallel";

// A function that returns i8x16.popcnt(i8x16.splat(0)).
const SIMD_PROBE = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11,
);

const IMPORTS = {
  simd: () => import("./simd.js"),
  scalar: () => import("./scalar.js"),
  parallel: () => import("./parallel.js"),
};

const compiled = new Map<Twin, Promise<WebAssembly.Module>>();

/** Compiled once per twin; all indexes share the result. */
export function twin(name: Twin): Promise<WebAssembly.Module> {
  let module = compiled.get(name);
  if (!module) {
    module = compile(name);
    compiled.set(name, module);
    // so that a failed download can be tried again
    module.catch(() => compiled.delete(name));
  }
  return module;
}

async function compile(name: Twin): Promise<WebAssembly.Module> {
  const { packed } = await IMPORTS[name]();
  return WebAssembly.compile(unpack(packed));
}

/** Bytes from the characters that build.mjs's `pack` made of them. */
function unpack(packed: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(packed.length);
  let at = 0;
  const digit = () => {
    const c = packed.charCodeAt(at++) - 32;
    return c - Number(c > 2) - Number(c > 60); // " and \ are left out
  };
  let count = 0;
  while (at < packed.length) {
    const first = digit();
    bytes[count++] = first < 91 ? first : 91 + 93 * (first - 91) + digit();
  }
  return bytes.slice(0, count);
}

/** The module that `source` stands for. */
export async function load(source: WasmSource | undefined): Promise<WebAssembly.Module> {
  if (source === undefined) return twin(WebAssembly.validate(SIMD_PROBE) ? "simd" : "scalar");
  if (source === "simd" || source === "scalar") return twin(source);
  if (is(source, "WebAssembly.Module")) return source as WebAssembly.Module;
  if (is(source, "Uint8Array") || is(source, "ArrayBuffer")) {
    return WebAssembly.compile(source as BufferSource);
  }
  throw new TypeError(
    `wasm must be "simd", "scalar", bytes or a WebAssembly.Module, not ${kind(source)}`,
  );
}
