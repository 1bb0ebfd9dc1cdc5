// SPDX-License-Identifier: Apache-2.0
// What searches are asked, and what they answer; how good they are.
import type { Vectors } from "./types.js";

/** How exactly a search looks. */
export interface Precision {
  /**
   * hnsw: candidates kept, up to 65,535; more finds more and takes longer.
   * Raised to k, or to the number to refine, where smaller. 0, the default: where
   * `gamma` is 0 too, what the index is tuned to, or else 128.
   */
  ef?: number | undefined;
  /**
   * hnsw: the walk ends at the first candidate that is farther than 1 + gamma
   * times the k-th nearest so far (the 10th where k is smaller), by the roots of
   * the distances of hits (with metric `"jaccard"` by those themselves). Up to 16. Easy queries end early and hard
   * ones go on, with up to 4 times `ef` candidates: the same recall for a fifth
   * to a third fewer distances than by `ef` alone (arXiv 2505.15636). 0, the
   * default: where `ef` is 0 too, what the index is tuned to, or else 0.1, and
   * then 64 candidates are walked from in any case; where only `ef` is given,
   * that alone decides. So it does with metric `"ip"`, whose distances have no
   * zero to measure from (gamma must be 0 there), and where a filter lets through
   * few.
   */
  gamma?: number | undefined;
  /**
   * bits1 to bits8: how many bits of each number are read to find candidates:
   * 1, 2, 4 or all. 0, the default: from bits4 on, some 400 bits a vector find
   * candidates and all bits refine them; else all are read. A flat scan by 1
   * bit that is refined begins with a sieve: the signs of the query leave 4
   * times what is to be refined (256 at least) to be compared in full. Of the
   * 10 nearest that lost .001 of sentence embeddings, none of pixels. There is
   * no sieve with a filter, or where it would leave more than 4,096.
   */
  planes?: number | undefined;
  /**
   * bits1 to bits8, with `planes` and without a refine encoding: how many bits
   * refine the candidates, more than `planes`. 0, the default: they are not
   * refined.
   */
  refinePlanes?: number | undefined;
  /**
   * Up to `refineK` times `k` candidates are refined, where there is something to
   * refine them by: a refine encoding, more planes, `refine`. From 1; 0, the
   * default, is what the index is tuned to, or else 10.
   */
  refineK?: number | undefined;
  /**
   * ivf: lists that are scanned, the nearest first; as many more as k hits need.
   * All of them are exact. 0, the default, is what the index is tuned to, or else
   * 3 times the root of their number.
   */
  nprobe?: number | undefined;
}

/**
 * How the vectors that satisfy the conditions are looked for:
 * - `"auto"`, the default: whichever is estimated to be cheapest
 * - `"scan"`: all of them are compared; exact
 * - `"walk"`: the graph is walked, through all vectors; those that satisfy are kept
 * - `"two-hop"`: the same, but through those that satisfy only, and past others to
 *   their neighbours (ACORN, arXiv 2403.04871)
 * - `"post"`: the graph is walked as without conditions, and what was found is
 *   filtered
 *
 * - `"probe"`: only in an ivf index, where it stands for every plan but a scan: the
 *   lists nearest to the query are scanned
 *
 * A flat index always scans. Whatever the plan, as many as there are, up to k,
 * are found: where a walk finds fewer, all are compared.
 */
export type Plan = "auto" | "scan" | "walk" | "two-hop" | "post" | "probe";

/** What hits must satisfy; all that is given. */
export interface Conditions {
  /**
   * A bit for each slot: slot i is bit i % 32 of word i >>> 5, `info().slots`
   * bits. Only vectors whose bit is 1 are hits.
   */
  filter?: Uint32Array | undefined;
  /**
   * Only keys within one of these: pairs of the first and the last key, each an
   * integer from 0 to 2^53 - 1, as in `[[0, 99], [500, 599]]`.
   */
  ranges?: readonly (readonly [from: number, to: number])[] | undefined;
  /** Keys that are no hits; such as are not in the index do not matter. */
  without?: ArrayLike<number> | undefined;
  /**
   * Whether a vector may be a hit. It is asked of every vector that satisfies
   * the other conditions, before the search: some 20 ns each, and what it does
   * itself. To ask once for many searches, keep `index.filter(match)`.
   */
  match?: ((key: number, slot: number) => boolean) | undefined;
  /** How to look for what satisfies them. Default `"auto"`. */
  plan?: Plan | undefined;
  /**
   * At most so many distances are computed to find candidates, 1 to 2^53 - 1:
   * a bound on the time of a search. Where it ends the search, `stats.cut` is
   * true and hits may be missing. Default: none.
   */
  budget?: number | undefined;
}

/** Hits that are unlike each other, not only near. */
export interface Diversity {
  /**
   * How much nearness counts against being unlike the hits before, from 0 to 1
   * (nearness alone). Default 0.5.
   */
  lambda?: number | undefined;
  /** Hits to choose k from, k to 65,535. Default 5 k. */
  fetchK?: number | undefined;
}

/** Options of `Index.search` and `Index.explain`. */
export interface SearchOptions extends Precision, Conditions {
  /** Hits wanted, 1 to 65,535. Default 10. */
  k?: number | undefined;
  /**
   * Chooses the k hits among more so that they are unlike each other (maximal
   * marginal relevance: Carbonell and Goldstein, SIGIR 1998), in the order in
   * which they were chosen: the nearest first, the others not by distance.
   * O(k fetchK) distances more.
   */
  diversity?: Diversity | undefined;
  /**
   * Brings the vectors of the `refineK * k` best candidates from wherever you
   * keep them: rows in the order of keys and slots. The hits are the k nearest
   * by exact distances to those, instead of by what is stored. Not for hamming
   * and jaccard, which are exact.
   */
  refine?: ((keys: Float64Array, slots: Uint32Array) => Float32Array) | undefined;
}

/** Options of `Index.searchAsync`. */
export interface SearchAsyncOptions extends Omit<SearchOptions, "refine"> {
  /** As for `search`, but may wait. */
  refine?: ((keys: Float64Array, slots: Uint32Array) => Float32Array | Promise<Float32Array>) | undefined;
}

/** Options of `Index.within`. */
export interface WithinOptions extends Precision, Conditions {
  /** Hits at most, 1 to 65,535. Default 1,000. */
  limit?: number | undefined;
}

/**
 * Why a search took its plan:
 * - `"no-graph"`: there is none to walk
 * - `"forced"`: the option `plan` said so
 * - `"all"`: there are no conditions
 * - `"few"`: comparing the vectors that match takes least
 * - `"sparse"`: most links lead to vectors that do not match
 * - `"dense"`: enough lead to such as do; ivf: more match than a search compares
 */
export type Reason = "no-graph" | "forced" | "all" | "few" | "sparse" | "dense";

/** What a search did. */
export interface SearchStats {
  /** Distances computed to find candidates; ivf: those to the centroids included. */
  distances: number;
  /** Bytes of codes that were read, refining included. */
  bytes: number;
  /** Of them, those of refining. */
  refineBytes: number;
  /** hnsw: vectors whose links were followed. */
  hops: number;
  /** ivf: lists that were scanned. */
  probed: number;
  /**
   * Every vector was compared by `planes`, so the candidates are the best as far
   * as those can tell. Not where a sieve spared most that.
   */
  exact: boolean;
  /** Candidates that were ranked again. */
  refined: number;
  /** bits1 to bits8: bits of each number that found the candidates; else 0. */
  planes: number;
  /** The plan that was taken. */
  plan: Exclude<Plan, "auto">;
  /** Why. */
  reason: Reason;
  /**
   * Vectors that may be hits: counted; with `ranges`, where not all were compared,
   * estimated from a sample.
   */
  matches: number;
  /** The budget ended the search: there may be nearer hits, and more. */
  cut: boolean;
  /** The walk found fewer than k, or cost as much as a scan, which followed. */
  fellBack: boolean;
}

/** Hits, nearest first, equal distances in ascending key; copies that are the caller's. */
export interface SearchResult {
  /** Each a safe integer. */
  keys: Float64Array<ArrayBuffer>;
  /** As the metric defines them. */
  distances: Float32Array<ArrayBuffer>;
  /**
   * Positions in the index, for data kept beside it. A vector keeps its own until
   * it is updated or the index packed, thawed or compacted, and those of deleted
   * vectors are used again.
   */
  slots: Uint32Array<ArrayBuffer>;
  /** What the search did. */
  stats: SearchStats;
}

/** What `within` finds. */
export interface WithinResult extends SearchResult {
  /** There are no more within the radius: neither the limit nor the budget ended it. */
  complete: boolean;
}

/** What `explain` tells: what a search did and why. */
export interface Explanation extends SearchStats {
  /** Hits that it found. */
  hits: number;
  /** The same in words, a line for each. */
  text: string;
}

// --- Recall -----------------------------------------------------------------------

/** How recall is measured: what searches will be like, and what they look for. */
export interface Sampling extends Precision {
  /** Right answers to each query, 1 to 65,535. Default 10. */
  k?: number | undefined;
  /**
   * Rows like those that will be searched for. Default: vectors of the index,
   * each left out of its own answer, which takes about what new ones take; bring
   * queries where you have some.
   */
  queries?: Vectors | undefined;
  /** Without `queries`: how many vectors of the index. Default 256. */
  sample?: number | undefined;
}

/** Options of `tune`. */
export interface TuneOptions extends Sampling {
  /** To be reached, above 0 and at most 1. Default 0.95. */
  recall?: number | undefined;
  /** The most candidates that are kept (with gamma 4 times ef; without a graph: refined), 1 to 65,535. Default 4,096. */
  efMax?: number | undefined;
  /** Stops after about so many distances. Default: none. */
  budget?: number | undefined;
  /** Whether searches that say nothing shall use what was found. Default true. */
  store?: boolean | undefined;
}

/** How many of the right answers were found. */
export interface Recall {
  /** Queries that were asked. */
  queries: number;
  /** Right answers to each. */
  k: number;
  /** The part of them that was found, from 0 to 1. */
  recall: number;
  /** Where it lies with a probability of 95 %: at least (Wilson's interval). */
  low: number;
  /** At most. */
  high: number;
  /** Of a query, on average: distances to find candidates. */
  distances: number;
  /** And candidates that were ranked again. */
  refined: number;
}

/** What searches use that say nothing; 0, the default, is the defaults. */
export type TunedTo = Pick<Precision, "ef" | "gamma" | "nprobe" | "refineK">;

/** What `tune` found. */
export interface Tuned {
  /** The smallest ef that reaches the recall, with `gamma`; 0 without a graph. */
  ef: number;
  /** The smallest gamma that does; 0 without a graph, and with metric `"ip"`. */
  gamma: number;
  /** ivf: the fewest lists that do; else 0. */
  nprobe: number;
  /** With it the smallest refineK; 0 where nothing is refined. */
  refineK: number;
  /** Recall with these. */
  recall: Recall;
  /** Whether that is what was wanted; if not it is the best that was seen. */
  reached: boolean;
  /** Searches use it from now on. */
  stored: boolean;
  /** The budget ended it. */
  cut: boolean;
  /** Settings that were tried. */
  runs: number;
  /** Distances in all. */
  spent: number;
}

/** What `audit` tells. */
export interface Audit {
  /** Of searches as they are now; undefined where none was measured. */
  recall: Recall | undefined;
  /** Vectors in the index. */
  vectors: number;
  /** The part of the slots in use whose vector was deleted. */
  deadShare: number;
  /** Vectors whose code an earlier one has, too. */
  duplicates: number;
  /** Different codes that are there more than once. */
  groups: number;
  /** Vectors of the largest group. */
  largest: number;
  /** Vectors in the graph. */
  linked: number;
  /** Vectors that wait to be linked; every search scans them. */
  pending: number;
  /** Vectors in the graph to which no way leads. */
  unreachable: number;
  /** Links of a vector, on average. */
  links: number;
  /** Bits of each, room to spare included. */
  linkBits: number;
  /** ivf: lists. */
  lists: number;
  /** ivf: lists without a vector. */
  emptyLists: number;
  /** ivf: vectors in the largest list. */
  largestList: number;
}
