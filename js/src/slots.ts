// SPDX-License-Identifier: Apache-2.0
// Which slots of a block hold a vector, and under which keys, as FORMAT.md has
// them.
import { told } from "./block.js";
import { REPORT } from "./instance.js";
import type { Instance } from "./instance.js";
import { safeKey } from "./key.js";

/** The core's sections KEYS and LIVE. */
const KEYS = 0x5359454b, LIVE = 0x4556494c;

/** A view of a section of 32-bit numbers; undefined where there is none. */
function words(instance: Instance, name: number): Uint32Array | undefined {
  if (instance.wasm.section(name) !== 0) return undefined;
  const [at, bytes] = [instance.number(REPORT.value), instance.number(REPORT.bytes)];
  return instance.u32.subarray(at >>> 2, (at + bytes) >>> 2);
}

/** Vectors with their slots, in the order of slots. */
export interface Places {
  keys: Float64Array;
  slots: Uint32Array;
}

/** All of them. Copies. */
export function places(instance: Instance): Places {
  const count = told(instance, "count");
  const end = instance.number(REPORT.slots);
  const live = words(instance, LIVE); // a packed block has none, and no holes
  const halves = words(instance, KEYS)!;
  const keys = new Float64Array(count), slots = new Uint32Array(count);
  let found = 0;
  for (let slot = 0; slot < end && found < count; slot++) {
    if (live && !(live[slot >>> 5]! & (1 << (slot & 31)))) continue;
    keys[found] = safeKey(halves[2 * slot]!, halves[2 * slot + 1]!);
    slots[found++] = slot;
  }
  return { keys: keys.subarray(0, found), slots: slots.subarray(0, found) };
}

/** The same in ascending order of keys. */
export function byKey({ keys, slots }: Places): Places {
  if (keys.every((key, i) => i === 0 || keys[i - 1]! < key)) return { keys, slots };
  const order = new Uint32Array(keys.length).map((_, i) => i).sort((a, b) => keys[a]! - keys[b]!);
  return {
    keys: Float64Array.from(order, (i) => keys[i]!),
    slots: Uint32Array.from(order, (i) => slots[i]!),
  };
}

/** A bit for each slot whose vector passes, among those of `filter`. */
export function bitsOf(
  instance: Instance, match: (key: number, slot: number) => boolean, filter?: Uint32Array,
): Uint32Array<ArrayBuffer> {
  const end = told(instance, "slots");
  const bits = new Uint32Array((end + 31) >>> 5);
  // copies, as `match` may do anything
  const live = words(instance, LIVE)?.slice();
  const halves = words(instance, KEYS)!.slice(0, 2 * end);
  for (let word = 0; word < bits.length; word++) {
    const last = Math.min(32, end - 32 * word);
    let asked = (live ? live[word]! : -1) & (filter ? filter[word]! : -1);
    for (let bit = 0, slot = 32 * word; bit < last && asked !== 0; bit++, slot++, asked >>>= 1) {
      if (asked & 1 && match(safeKey(halves[2 * slot]!, halves[2 * slot + 1]!), slot)) bits[word]! |= 1 << bit;
    }
  }
  return bits;
}
