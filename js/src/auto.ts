// SPDX-License-Identifier: Apache-2.0
// An index without a spec: flat floats first, which is exact, and from so many
// vectors on what the core chooses for their number.
import { told } from "./block.js";
import { AUTO_HNSW, CAPACITY_MAX, integer, kind } from "./check.js";
import { MinnowError, statusError } from "./error.js";
import { REPORT } from "./instance.js";
import type { Instance } from "./instance.js";
import { KEY_MAX, high, low } from "./key.js";
import type { Hints } from "./types.js";

/** Hints as the core takes them: 0 where there is none. */
export interface Expected {
  count: number;
  budgetBytes: number;
  paged: boolean;
  /** Vectors to make room for. */
  capacity: number;
}

export function checkHints(hints: Hints & { spec?: string | undefined; capacity?: number | undefined }): Expected {
  const { count = 0, budgetBytes = 0, paged = false, spec = "auto", capacity = 1 } = hints;
  if (hints.count !== undefined) integer("count", count, 1, CAPACITY_MAX);
  if (hints.budgetBytes !== undefined) {
    integer("budgetBytes", budgetBytes, 1, KEY_MAX);
    if (count === 0) throw new TypeError("budgetBytes needs count: a budget for how many vectors?");
  }
  if (typeof paged !== "boolean") throw new TypeError(`paged must be true or false, not ${kind(paged)}`);
  if (paged && count === 0) throw new TypeError("paged needs count: pages of how many vectors?");
  if (count > 0 && spec !== "auto") {
    throw new TypeError(`count, budgetBytes and paged choose a spec: leave out "${spec}"`);
  }
  // fewer are scanned, and in order
  return { count, budgetBytes, paged: paged && count >= AUTO_HNSW, capacity: Math.max(capacity, count) };
}

/** mn_structure, mn_encoding */
const FLAT = 1, F32 = 1, SIGN = 7;

/**
 * What an index begins as. Lists take more vectors to train on than `auto` would
 * stay flat for.
 */
export const beginning = ({ paged }: Expected): string => (paged ? "flat" : "auto");

/** Whether no encoding was named, and what it is may still turn into another. */
function canTurn(instance: Instance, paged: boolean): boolean {
  if (told(instance, "isAuto") === 2) return instance.number(REPORT.count) < AUTO_HNSW;
  const is = (field: keyof typeof REPORT, ...values: number[]) => values.includes(instance.number(REPORT[field]));
  return paged && is("structure", FLAT) && is("transform", 0) && is("encoding", F32, SIGN) && is("refine", 0);
}

/**
 * With how many vectors the index becomes what is chosen for it; they are what
 * that is trained on. Infinity: never. Throws "capacity" where nothing fits the
 * budget.
 */
export function turnsAt(instance: Instance, { count, budgetBytes, paged }: Expected): number {
  if (!canTurn(instance, paged)) return Infinity;
  const held = instance.number(REPORT.count);
  // of few vectors without a budget the best is what it is
  const known = budgetBytes > 0 || count >= AUTO_HNSW;
  const status = instance.wasm.choose(
    known ? count : AUTO_HNSW, low(budgetBytes), high(budgetBytes), Number(paged),
  );
  const { code } = statusError(status);
  if (code === "capacity") {
    throw new MinnowError(code, `no index of ${count} vectors fits in ${budgetBytes} bytes: give it more, or keep fewer dimensions (spec "first128,bits1")`);
  }
  instance.check(status);
  const least = instance.number(REPORT.value), enough = instance.number(REPORT.bytes);
  const at = Math.max(1, least, Math.min(enough, count, paged ? count : AUTO_HNSW));
  if (paged) return Math.max(at, held + 1);
  return known && held < at ? at : AUTO_HNSW;
}
