// SPDX-License-Identifier: Apache-2.0
// What a build for a Cortex-M4 may hold, and what it may weigh: the functions
// that a program calls, the macros of minnow.h, and budgets in bytes of flash
// and of stack.
const LEAN = ["MN_NO_STRINGS", "MN_SMALL_CODE", "MN_NO_SIGN", "MN_NO_TRANSFORMS", "MN_NO_FETCH", "MN_NO_IVF"];
const SEARCH = [...LEAN, "MN_ONLY_SEARCH", "MN_NO_DECODE", "MN_NO_FILTERS"];
const ONLY_BITS = ["MN_NO_FLOATS", "MN_NO_SQ", "MN_NO_PQ"];
const search = ["mn_index_open", "mn_index_search"];
const add = ["mn_index_create", "mn_index_set_model", "mn_index_add", "mn_index_seal", "mn_index_open_writable"];
const without = (list, ...names) => list.filter((name) => !names.includes(name));

export const FEATURES = [
  { name: "search: bits, flat", calls: search, leave: [...SEARCH, ...ONLY_BITS, "MN_NO_GRAPH"], flash: 14_336, stack: 3072 },
  { name: "search: bits, flat and hnsw", calls: search, leave: [...SEARCH, ...ONLY_BITS], flash: 16_384, stack: 3072 },
  { name: "… by the DSP extension", calls: search, leave: [...SEARCH, ...ONLY_BITS, "MN_WITH_DSP"], flash: 16_896, stack: 3072 },
  { name: "… and vectors of codes (the example)", calls: [...search, "mn_index_reconstruct"], leave: [...without(SEARCH, "MN_NO_DECODE"), ...ONLY_BITS], flash: 18_432, stack: 3072 },
  { name: "… and filters", calls: search, leave: [...without(SEARCH, "MN_NO_FILTERS"), ...ONLY_BITS], flash: 21_504, stack: 3072 },
  { name: "search: sq, flat and hnsw", calls: search, leave: [...SEARCH, "MN_NO_FLOATS", "MN_NO_BITS", "MN_NO_PQ"], flash: 14_336, stack: 3072 },
  { name: "search: pq, flat and hnsw", calls: search, leave: [...SEARCH, "MN_NO_FLOATS", "MN_NO_SQ", "MN_NO_BITS"], flash: 16_384, stack: 3072 },
  { name: "search: every encoding, structure and option", calls: search, leave: ["MN_NO_STRINGS", "MN_ONLY_SEARCH"], flash: 36_864, stack: 3584 },
  { name: "add: bits, flat", calls: [...search, ...add], leave: [...LEAN, ...ONLY_BITS, "MN_NO_TRAIN", "MN_NO_GRAPH"], flash: 25_600, stack: 3584 },
  { name: "add: bits, flat and hnsw", calls: [...search, ...add], leave: [...LEAN, ...ONLY_BITS, "MN_NO_TRAIN"], flash: 31_744, stack: 3584 },
  { name: "… and delete", calls: [...search, ...add, "mn_index_delete"], leave: [...LEAN, ...ONLY_BITS, "MN_NO_TRAIN"], flash: 32_768, stack: 3584 },
  { name: "… and train", calls: [...search, ...add, "mn_index_delete", "mn_index_train"], leave: [...LEAN, ...ONLY_BITS], flash: 34_816, stack: 3584 },
  { name: "add and train: pq, flat and hnsw", calls: [...search, ...add, "mn_index_train"], leave: [...LEAN, "MN_NO_FLOATS", "MN_NO_SQ", "MN_NO_BITS"], flash: 36_864, stack: 3584 },
];
