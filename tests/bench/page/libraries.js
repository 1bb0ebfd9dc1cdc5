// SPDX-License-Identifier: Apache-2.0
// The libraries that a page measures, on the set that it has loaded.
import { k, parts, rowOf, sample, set } from "./set.js";

const most = 1024;

// A peer: search(query, ef, condition) gives row numbers, and `stats()` what it
// took; without `ef` Minnow takes its defaults, its peer 128 candidates. One to
// be packed has pack(). condition(passes) makes one of a function of a row.
// put(rows, replace) adds rows, in the place of deleted ones if that must be
// said. Minnow's `name` is as in index.h.
export const libraries = {
  async Minnow(name) {
    const { Index } = await import("minnow");
    const [spec, ...forms] = name.split(" ");
    const linked = forms.find((form) => form.startsWith("ef"));
    let index = await Index.create({
      dimensions: set.dimensions, metric: set.metric, spec, capacity: set.n,
      ...(linked && { efConstruction: Number(linked.slice(2)) }),
    });
    let stats;
    return {
      add() {
        const { trained, training } = index.info();
        if (!trained) index.train(sample(training.enough));
        for (const [from, to] of parts()) index.add(set.base.subarray(from * set.dimensions, to * set.dimensions));
      },
      pack: !forms.includes("packed") ? undefined : async () => {
        const live = index;
        index = await live.pack();
        live.close();
      },
      put(rows) {
        const { trained, training } = index.info();
        if (!trained) index.train(sample(training.enough));
        const vectors = new Float32Array(rows.length * set.dimensions);
        rows.forEach((row, i) => vectors.set(rowOf(set.base, row), i * set.dimensions));
        index.add(vectors, rows);
      },
      remove: (rows) => index.delete(rows),
      condition: (passes, way) => (way === "match" ? { match: passes } : { filter: index.filter(passes) }),
      search(query, ef, condition) {
        const precision = !ef ? {} // as in index.h
          : spec.startsWith("hnsw") ? { gamma: ef / 1000, ef: most, refineK: most / k } : { ef, refineK: ef / k };
        const found = index.search(query, { k, ...precision, ...condition });
        stats = found.stats;
        return found.keys;
      },
      stats: () => stats,
      indexBytes: () => index.info().blockBytes,
      close: () => index.close(),
    };
  },

  async "hnswlib-wasm"() {
    const { loadHnswlib } = await import("hnswlib-wasm");
    const library = await loadHnswlib();
    const index = new library.HierarchicalNSW(set.metric, set.dimensions, "");
    index.initIndex(set.n, 16, 200, 100);
    return {
      // addItems, which its documentation recommends. It hands out the labels:
      // 0, 1, 2, …
      add() {
        for (const [from, to] of parts()) {
          const rows = Array.from({ length: to - from }, (_, i) => rowOf(set.base, from + i));
          const labels = index.addItems(rows, false);
          if (labels[0] !== from) throw new Error("hnswlib-wasm numbers its items in another way");
        }
      },
      put: (rows, replace) => index.addPoints(rows.map((row) => rowOf(set.base, row)), rows, replace),
      remove: (rows) => index.markDeleteItems(rows),
      condition: (passes) => passes,
      search(query, ef = 128, condition = undefined) {
        if (index.getEfSearch() !== ef) index.setEfSearch(ef);
        return index.searchKnn(query, k, condition).neighbors;
      },
      stats: () => undefined,
      // It does not say, so this is counted from its source: on level 0 links,
      // vector and label; a pointer to the lists above, of which one vector in
      // 15 has one; the level. Its hash table of labels and its allocator's
      // overhead come on top and show in the heap.
      indexBytes: () => set.n * (4 * 33 + 4 * set.dimensions + 4 + 4 + (4 * 17) / 15 + 4),
      close: () => index.delete(),
    };
  },
};
