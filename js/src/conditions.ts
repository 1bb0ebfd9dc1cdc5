// SPDX-License-Identifier: Apache-2.0
// What hits must satisfy: checked, and put into memory behind a query.
import { told } from "./block.js";
import { PLANS, integer, is, kind } from "./check.js";
import { QUERY } from "./instance.js";
import type { Instance } from "./instance.js";
import { KEY_MAX, high, keyHalves, low } from "./key.js";
import { bitsOf } from "./slots.js";
import type { Conditions } from "./query.js";

/** Conditions as the core takes them. */
export interface Checked {
  /** Bits by slot. */
  filter: Uint32Array | undefined;
  /** 64-bit keys by halves: two to a range, and one each. */
  ranges: Uint32Array;
  without: Uint32Array;
  plan: number;
  budget: number;
}

const NONE = new Uint32Array(0);

/** What was given, where it is in order. `match` is asked here. */
export function checkConditions(instance: Instance, conditions: Conditions): Checked {
  const { filter, ranges, without, match, plan = "auto", budget } = conditions;
  const given = filter && checkFilter(instance, filter);
  const found = PLANS.indexOf(plan);
  if (found < 0) throw new TypeError(`plan must be one of ${PLANS.join(", ")}, not ${String(plan)}`);
  if (match !== undefined && typeof match !== "function") {
    throw new TypeError(`match must be a function, not ${kind(match)}`);
  }
  return {
    ranges: ranges === undefined ? NONE : checkRanges(ranges),
    without: without === undefined ? NONE : keyHalves(without, undefined, "without"),
    plan: found,
    budget: budget === undefined ? 0 : integer("budget", budget, 1, KEY_MAX),
    filter: ranges?.length === 0 ? nothing(instance) : match ? bitsOf(instance, match, given) : given,
  };
}

/** The filter that no vector passes, as no key is within any of no ranges. */
function nothing(instance: Instance): Uint32Array {
  return new Uint32Array(wordsOf(instance));
}

function wordsOf(instance: Instance): number {
  return (told(instance, "slots") + 31) >>> 5;
}

/** Of a filter, the words that are read. */
function checkFilter(instance: Instance, filter: Uint32Array): Uint32Array {
  if (!is(filter, "Uint32Array")) {
    throw new TypeError(`filter must be a Uint32Array, not ${kind(filter)}`);
  }
  const words = wordsOf(instance);
  if (filter.length >= words) return filter.subarray(0, words);
  throw new RangeError(`filter must have a bit for each slot: ${words} words, not ${filter.length}`);
}

function checkRanges(ranges: Conditions["ranges"] & {}): Uint32Array {
  if (!Array.isArray(ranges)) throw new TypeError(`ranges must be an array such as [[0, 99]], not ${kind(ranges)}`);
  const halves = new Uint32Array(4 * ranges.length);
  ranges.forEach((range, i) => {
    if (!Array.isArray(range) || range.length !== 2) {
      throw new TypeError(`ranges[${i}] must be two keys such as [0, 99]`);
    }
    const from = integer(`ranges[${i}][0]`, range[0], 0, KEY_MAX);
    const to = integer(`ranges[${i}][1]`, range[1], from, KEY_MAX);
    halves.set([low(from), high(from), low(to), high(to)], 4 * i);
  });
  return halves;
}

/** Bytes that conditions take, a multiple of 8. */
export function stagedConditions({ filter, ranges, without }: Checked): number {
  return ranges.byteLength + without.byteLength + (((filter?.byteLength ?? 0) + 7) & ~7);
}

/** Puts conditions at `at`, and into the query where they are. */
export function writeConditions(instance: Instance, query: number, at: number, conditions: Checked): void {
  const { u32 } = instance;
  const set = (field: keyof typeof QUERY, value: number) => (u32[(query + QUERY[field]) >>> 2] = value);
  const put = (field: keyof typeof QUERY, values: Uint32Array | undefined) => {
    if (!values || values.length === 0) return;
    set(field, at);
    u32.set(values, at >>> 2);
    at += values.byteLength;
  };
  const { filter, ranges, without, plan, budget } = conditions;
  put("ranges", ranges);
  set("rangeCount", ranges.length / 4);
  put("without", without);
  set("withoutCount", without.length / 2);
  put("filter", filter);
  set("plan", plan);
  set("budget", low(budget));
  set("budgetHigh", high(budget));
}
