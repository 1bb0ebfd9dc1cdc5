// SPDX-License-Identifier: Apache-2.0
// Getting the WebAssembly module: one of two twins that come inside the
// package, each in a JavaScript module of its own so that only the one that is
// needed is loaded. No fetch, no path, no configuration.
import { is, kind } from "./check.js";
import type { WasmSource } from "./types.js";

type Twin = "simd" | "scalar";

// A function that returns i8x16.popcnt(i8x16.splat(0)).
const SIMD_PROBE = Uint8Array.of(
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11,
);

const compiled = new Map<Twin, Promise<WebAssembly.Module>>();

/** Compiled once per twin; all indexes share the result. */
function twin(name: Twin): Promise<WebAssembly.Module> {
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
  const { packed } = name === "simd" ? await import("./simd.js") : await import("./scalar.js");
  const deflated = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
  const stream = new Blob([deflated]).stream().pipeThrough(new DecompressionStream("deflate"));
  return WebAssembly.compile(await new Response(stream).arrayBuffer());
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
