// SPDX-License-Identifier: Apache-2.0
// Runs bandwidth.c's functions in WebAssembly, in Node and in a page alike. One
// instance serves for all specs: its memory is large.

/** From what WebAssembly.instantiate gives, a function of the same answers as
 * the native program's. */
export function scanRates({ exports }) {
  exports._initialize?.();
  return (spec, bytes, passes) => {
    const text = new TextEncoder().encode(`${spec}\0`);
    new Uint8Array(exports.memory.buffer).set(text, exports.spec_at());
    const vectors = exports.make(bytes);
    if (vectors <= 0) throw new Error(`${spec}: status ${vectors}`);
    const scanned = exports.scan();
    const read = exports.read_all();
    const seconds = (call) => {
      const start = performance.now();
      call();
      return (performance.now() - start) / 1000;
    };
    const times = Array.from({ length: passes }, () => [seconds(exports.scan), seconds(exports.read_all)]);
    return { vectors, bytes: scanned, read, passes: times };
  };
}
