// SPDX-License-Identifier: Apache-2.0
// Recall, measured on the user's own vectors: what to search with, and how good
// searches are.
import { told } from "./block.js";
import { CAPACITY_MAX, EF_MAX, integer, real } from "./check.js";
import { MinnowError, SAMPLE } from "./error.js";
import { AUDIT, RECALL, REPORT, TUNED } from "./instance.js";
import type { Instance } from "./instance.js";
import { KEY_MAX, high, low } from "./key.js";
import type { Audit, Recall, Sampling, TuneOptions, Tuned, TunedTo } from "./query.js";
import { countRows, stagedBytes, writeRows } from "./rows.js";
import type { Shape } from "./rows.js";
import { GAMMA_MAX, checkQuery, checkSearch, stageQuery } from "./search.js";

const K = 10, SAMPLE_SIZE = 256, RECALL_WANTED = 0.95;
/** MN_NLIST_MAX */
const NLIST_MAX = 65536;

/** Puts what to measure with into memory. */
function stage(instance: Instance, shape: Shape, options: Sampling) {
  const { k = K, queries, sample = SAMPLE_SIZE } = options;
  integer("k", k, 1, EF_MAX);
  integer("sample", sample, 0, CAPACITY_MAX);
  const count = queries ? countRows("queries", queries, shape) : 0;
  const { ef, gamma, planes, refinePlanes, refineK, nprobe } = options;
  const precision = { ef, gamma, planes, refinePlanes, refineK, nprobe };
  const bytes = queries ? stagedBytes(queries, count, shape) : 0;
  const { query, vectors } = stageQuery(instance, shape, precision, checkQuery(instance, shape, precision), k, bytes);
  if (queries) writeRows(instance, vectors, queries, count, shape);
  return { query, vectors: queries ? vectors : 0, count, sample };
}

function check(instance: Instance, status: number): void {
  if (status === SAMPLE) {
    throw new MinnowError("sample", "nothing to measure with: give queries, or a sample of an index that has vectors");
  }
  instance.check(status);
}

function recallOf(instance: Instance, at: number): Recall {
  const float = (field: keyof typeof RECALL) => instance.float(at + RECALL[field]);
  return {
    queries: instance.number(at + RECALL.queries), k: instance.number(at + RECALL.k),
    recall: float("recall"), low: float("low"), high: float("high"),
    distances: float("distances"), refined: float("refined"),
  };
}

export function tune(instance: Instance, shape: Shape, options: TuneOptions): Tuned {
  const { recall = RECALL_WANTED, efMax = 0, budget, store = true } = options;
  real("recall", recall, Number.MIN_VALUE, 1);
  if (efMax !== 0) integer("efMax", efMax, 1, EF_MAX);
  const most = budget === undefined ? 0 : integer("budget", budget, 1, KEY_MAX);
  const { query, vectors, count, sample } = stage(instance, shape, options);
  check(instance, instance.wasm.tune(query, vectors, count, sample, recall, efMax, Number(store), low(most), high(most)));
  const number = (field: keyof typeof TUNED) => instance.number(REPORT.tuned + TUNED[field]);
  return {
    ef: number("ef"), gamma: instance.float(REPORT.tuned + TUNED.gamma), nprobe: number("nprobe"),
    refineK: instance.float(REPORT.tuned + TUNED.refineK),
    recall: recallOf(instance, REPORT.tuned + TUNED.recall),
    reached: number("reached") === 1, stored: number("stored") === 1, cut: number("cut") === 1,
    runs: number("runs"), spent: instance.long(REPORT.tuned + TUNED.spent),
  };
}

export function setTuned(instance: Instance, { ef = 0, gamma = 0, nprobe = 0, refineK = 0 }: TunedTo): void {
  integer("ef", ef, 0, EF_MAX);
  real("gamma", gamma, 0, GAMMA_MAX);
  integer("nprobe", nprobe, 0, NLIST_MAX);
  if (refineK !== 0) real("refineK", refineK, 1, EF_MAX);
  checkSearch(instance, instance.wasm.set_tuned(ef, gamma, nprobe, refineK));
}

export function audit(instance: Instance, shape: Shape, options: Sampling): Audit {
  const { query, vectors, count, sample } = stage(instance, shape, options);
  const measures = count + sample > 0 && told(instance, "count") > 0;
  check(instance, instance.wasm.audit(measures ? query : 0, vectors, count, sample));
  const number = (field: keyof typeof AUDIT) => instance.number(REPORT.audit + AUDIT[field]);
  const float = (field: keyof typeof AUDIT) => instance.float(REPORT.audit + AUDIT[field]);
  return {
    recall: measures ? recallOf(instance, REPORT.audit) : undefined,
    vectors: number("vectors"), deadShare: float("deadShare"),
    duplicates: number("duplicates"), groups: number("groups"), largest: number("largest"),
    linked: number("linked"), pending: number("pending"), unreachable: number("unreachable"),
    links: float("links"), linkBits: float("linkBits"),
    lists: number("lists"), emptyLists: number("emptyLists"), largestList: number("largestList"),
  };
}
