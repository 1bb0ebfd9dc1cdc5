// SPDX-License-Identifier: Apache-2.0
// The encodings by their numbers (core/FORMAT.md, 1 and 4). Each is {codeBytes,
// restBytes, modelBytes, open}; `open` of the model's bytes gives
//   decode(code)            the vector that a code stands for
//   check(code)             throws where a code breaks a rule
//   made(code, x)           throws where it is not a code of x
//   measure(query, planes)  a function from a code to its distance
// A code is {code, rest}, a DataView each.
import { bits } from "./bits.mjs";
import { pq } from "./pq.mjs";
import { floats, sign, sq } from "./scalar.mjs";

const NAMES = [, "f32", "f16", "bf16", "sq8", "sq6", "sq4", "sign", "pq", "prq"];

export function encodingName(number) {
  return number >= 17 && number <= 24 ? `bits${number - 16}` : NAMES[number];
}

export function encodingOf(name, options) {
  if (name.startsWith("bits")) return bits(Number(name.slice(4)), options);
  if (name.startsWith("sq")) return sq(name, options);
  if (name === "pq" || name === "prq") return pq(name, options);
  return name === "sign" ? sign(options) : floats(name, options);
}
