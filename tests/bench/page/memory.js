// SPDX-License-Identifier: Apache-2.0
// How many bytes of WebAssembly memory a page holds, whichever library made
// them: every way to an instance is watched for memories.

/** A function that gives a function: how many bytes the memories have that were
 * made after the first was called. */
export function watchMemory() {
  const memories = new Set();
  const { instantiate, instantiateStreaming, Instance, Memory } = WebAssembly;
  const keep = (instance) => {
    for (const value of Object.values(instance.exports)) if (value instanceof Memory) memories.add(value);
  };
  const watched = (make) => async (...parts) => {
    const result = await make.apply(WebAssembly, parts);
    keep(result.instance ?? result);
    return result;
  };
  WebAssembly.instantiate = watched(instantiate);
  WebAssembly.instantiateStreaming = watched(instantiateStreaming);
  WebAssembly.Instance = new Proxy(Instance, {
    construct(target, parts) {
      const instance = new target(...parts);
      keep(instance);
      return instance;
    },
  });
  return () => {
    const known = new Set(memories);
    return () => [...memories].reduce((sum, memory) => sum + (known.has(memory) ? 0 : memory.buffer.byteLength), 0);
  };
}
