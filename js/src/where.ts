// SPDX-License-Identifier: Apache-2.0
// Conditions on the fields of documents.
import { kind } from "./check.js";

/** What fields are compared with. */
export type Scalar = string | number | boolean | null;

/** All of those given must hold. */
export interface Operators {
  /** Greater than; numbers compare with numbers, strings with strings. */
  gt?: number | string;
  /** Greater than or equal. */
  gte?: number | string;
  /** Less than. */
  lt?: number | string;
  /** Less than or equal. */
  lte?: number | string;
  /** Not equal; also true where the field is missing. */
  ne?: Scalar;
  /** Equal to any of these. */
  in?: readonly Scalar[];
}

/** A value to equal, an array of values of which to equal any, or operators. */
export type Condition = Scalar | readonly Scalar[] | Operators;

/**
 * A condition for each field named; all must hold. A field that is an array
 * satisfies a comparison where one of its elements does. `id` is a field too.
 *
 * @example
 * { lang: ["de", "fr"], year: { gte: 1990, lt: 2000 }, draft: false }
 */
export interface Where {
  /** Holds for documents whose field satisfies it. */
  readonly [field: string]: Condition;
}

/** Whether a field's value passes; undefined is a missing field. */
export type Test = (value: unknown) => boolean;

const ORDER: { readonly [operator: string]: (a: any, b: any) => boolean } = {
  gt: (a, b) => a > b,
  gte: (a, b) => a >= b,
  lt: (a, b) => a < b,
  lte: (a, b) => a <= b,
};

/** A test for each field of a `where`; TypeError for what cannot be meant. */
export function compile(where: Where): [field: string, test: Test][] {
  if (typeof where !== "object" || where === null || Array.isArray(where)) {
    throw new TypeError(`where must be an object such as { lang: "de" }, not ${kind(where)}`);
  }
  return Object.entries(where).map(([field, condition]) => [field, testOf(field, condition)]);
}

function testOf(field: string, condition: Condition): Test {
  if (isScalar(condition)) return some((value) => value === condition);
  if (Array.isArray(condition)) return anyOf(field, condition);
  if (typeof condition !== "object") {
    throw new TypeError(`where.${field} must be a value, an array or operators, not ${kind(condition)}`);
  }
  const tests = Object.entries(condition).map(([name, operand]) => operator(field, name, operand));
  if (tests.length > 0) return (value) => tests.every((test) => test(value));
  throw new TypeError(`where.${field} has no operator: use gt, gte, lt, lte, ne or in`);
}

function operator(field: string, name: string, operand: unknown): Test {
  if (name === "in") return anyOf(field, operand);
  if (name === "ne") {
    if (!isScalar(operand)) throw mistaken(field, name, "a value", operand);
    const equal = some((value) => value === operand);
    return (value) => !equal(value);
  }
  if (!Object.hasOwn(ORDER, name)) {
    throw new TypeError(`where.${field}: unknown operator "${name}", use gt, gte, lt, lte, ne or in`);
  }
  if (!isScalar(operand) || (typeof operand !== "number" && typeof operand !== "string")) {
    throw mistaken(field, name, "a number or a string", operand);
  }
  const holds = ORDER[name]!;
  return some((value) => typeof value === typeof operand && holds(value, operand));
}

function anyOf(field: string, operand: unknown): Test {
  if (!Array.isArray(operand) || !operand.every(isScalar)) {
    throw mistaken(field, "in", "an array of values", operand);
  }
  const values = new Set<unknown>(operand);
  return some((value) => values.has(value));
}

/** A test that an array passes where one of its elements does. */
function some(test: Test): Test {
  return (value) => (Array.isArray(value) ? value.some(test) : test(value));
}

function isScalar(value: unknown): value is Scalar {
  if (typeof value === "number") return !Number.isNaN(value);
  return value === null || typeof value === "string" || typeof value === "boolean";
}

function mistaken(field: string, name: string, wanted: string, operand: unknown): TypeError {
  const given = typeof operand === "number" ? String(operand) : kind(operand);
  return new TypeError(`where.${field}: "${name}" takes ${wanted}, not ${given}`);
}
