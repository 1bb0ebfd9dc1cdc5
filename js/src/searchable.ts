// SPDX-License-Identifier: Apache-2.0
import { Block, changing, live, shapeOf, told } from "./block.js";
import { integer, kind } from "./check.js";
import { statusError } from "./error.js";
import { REPORT } from "./instance.js";
import { KEY_MAX, high, low } from "./key.js";
import { countRows, oneRow } from "./rows.js";
import { find, findLike, findWithin, rank } from "./search.js";
import { bitsOf } from "./slots.js";
import { explained } from "./stats.js";
import { audit, setTuned, tune } from "./tune.js";
import type {
  Audit, Explanation, Sampling, SearchAsyncOptions, SearchOptions, SearchResult, TuneOptions, Tuned, TunedTo,
  WithinOptions, WithinResult,
} from "./query.js";
import type { Vectors } from "./types.js";

/** @internal The slot of a key; undefined where it is not in the index. */
export function slotOf(index: Searchable, key: number): number | undefined {
  const instance = live(index);
  const status = instance.wasm.find(low(key), high(key));
  if (status === 0) return instance.number(REPORT.value);
  const error = statusError(status);
  if (error.code === "unknown-key") return undefined;
  throw error;
}

/** What an index answers. */
export abstract class Searchable extends Block {
  /** Vectors in the index. */
  get size(): number {
    return told(live(this), "count");
  }

  // --- Search ----------------------------------------------------------------

  /**
   * The k vectors nearest to `query`, or as many as there are and as satisfy the
   * conditions. flat: O(n d); hnsw: about O(ef log n) distances.
   * Throws "not-finite", "zero-vector", "memory", "key-unsafe" and "argument"
   * (planes that the encoding does not have; gamma with metric `"ip"`).
   */
  search(query: Vectors, options: SearchOptions = {}): SearchResult {
    const found = this.#find(query, options);
    const { refine } = options;
    if (!refine) return found;
    return rank(live(this), shapeOf(this), query, options, found, refine(found.keys.slice(), found.slots.slice()));
  }

  /**
   * The same, with a `refine` that may wait: for vectors in a database, a file
   * or on a server. What `add` did meanwhile does not matter.
   */
  async searchAsync(query: Vectors, options: SearchAsyncOptions = {}): Promise<SearchResult> {
    const found = this.#find(query, options);
    const { refine } = options;
    if (!refine) return found;
    const asked = query.slice(); // the caller may change it while this waits
    const vectors = await refine(found.keys.slice(), found.slots.slice());
    return rank(live(this), shapeOf(this), asked, options, found, vectors);
  }

  /** `search` for each of the rows of `queries`; conditions are prepared once. */
  searchMany(queries: Vectors, options: Omit<SearchOptions, "refine"> = {}): SearchResult[] {
    const rows = countRows("queries", queries, shapeOf(this));
    return find(live(this), shapeOf(this), queries, rows, options);
  }

  /**
   * "More like this": the vectors nearest to the one under `key`, as it is
   * stored, without itself; k up to 65,534. Throws "unknown-key", and as `search` does.
   */
  searchLike(key: number, options: SearchOptions = {}): SearchResult {
    integer("key", key, 0, KEY_MAX);
    const found = findLike(live(this), shapeOf(this), key, options);
    const { refine } = options;
    if (!refine) return found;
    const vectors = refine(found.keys.slice(), found.slots.slice());
    return rank(live(this), shapeOf(this), this.reconstruct(key), options, found, vectors);
  }

  /**
   * All vectors whose distance to `query` is `radius` or less, nearest first, or
   * the `limit` nearest of them. It searches for 16, then for 8 times as many, and
   * so on until one lies outside, and finds what a search for as many does.
   * Throws as `search` does.
   */
  within(query: Vectors, radius: number, options: WithinOptions = {}): WithinResult {
    oneRow("query", query, shapeOf(this));
    return findWithin(live(this), shapeOf(this), query, radius, options);
  }

  /**
   * Searches, and tells what that took and why: the plan, the vectors that
   * match, distances, bytes, hops, in numbers and words. Throws as `search` does.
   */
  explain(query: Vectors, options: SearchOptions = {}): Explanation {
    return explained(this.search(query, options), this.size);
  }

  /**
   * Measures what searches need to reach a recall: the smallest `gamma` (metric
   * "ip": `ef`; ivf: `nprobe`), then the smallest `refineK` and `ef`. Searches that say nothing about those
   * use it from then on, also once saved, opened, packed or thawed; after many
   * changes it is time to tune again. A scan of the index for each query and some
   * 30 searches; it blocks, so do it in a worker where there are many vectors.
   * Throws "sample" (nothing to measure with), "busy", and as `search` does.
   */
  tune(options: TuneOptions = {}): Tuned {
    return tune(changing(this), shapeOf(this), options);
  }

  /**
   * Stores what was found otherwise, such as by `tune` of an index like this one:
   * searches that say nothing use it as they use what `tune` found. Without
   * anything the defaults hold again. O(1). Throws "busy".
   */
  setTuned(tuned: TunedTo = {}): void {
    setTuned(changing(this), tuned);
  }

  /**
   * Looks the index over: recall@k of searches as they are, against a scan, on
   * its own vectors or on `queries`; and what is in the graph. A scan for each
   * query, O(n d + links) besides; it blocks. `sample: 0` measures no recall.
   * Throws as `search` does.
   */
  audit(options: Sampling = {}): Audit {
    return audit(live(this), shapeOf(this), options);
  }

  /**
   * A bit for each slot whose vector passes, for `filter` of many searches: it
   * holds until the index is changed. O(n).
   */
  filter(match: (key: number, slot: number) => boolean): Uint32Array<ArrayBuffer> {
    if (typeof match !== "function") throw new TypeError(`match must be a function, not ${kind(match)}`);
    return bitsOf(live(this), match);
  }

  /** Whether there is a vector under `key`. O(1). */
  has(key: number): boolean {
    live(this);
    integer("key", key, 0, KEY_MAX);
    return slotOf(this, key) !== undefined;
  }

  /**
   * The vector under `key` as it is stored: what the refine encoding kept of
   * it, or else the encoding, taken back through the transform (what that
   * dropped is 0); under cosine normalised. Under hamming and jaccard numbers
   * are 1 and -1. O(d), and the transform's. Throws "unknown-key".
   */
  reconstruct(key: number): Float32Array<ArrayBuffer> {
    const instance = live(this);
    integer("key", key, 0, KEY_MAX);
    const d = this.dimensions;
    const at = instance.stage(4 * d);
    instance.check(instance.wasm.reconstruct(low(key), high(key), at, d));
    return instance.f32.slice(at >>> 2, (at >>> 2) + d);
  }

  // --- Inside ----------------------------------------------------------------

  #find(query: Vectors, options: SearchAsyncOptions): SearchResult {
    oneRow("query", query, shapeOf(this));
    return find(live(this), shapeOf(this), query, 1, options)[0]!;
  }
}
