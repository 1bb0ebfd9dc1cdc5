// SPDX-License-Identifier: Apache-2.0
// A life of an index and of a collection, run by every runtime and bundle. It
// gives numbers and hashes that must be the same in all of them.

// FNV-1a
function hash(bytes) {
  let h = 0x811c9dc5;
  for (const byte of bytes) h = Math.imul(h ^ byte, 0x01000193) >>> 0;
  return h.toString(16);
}

const bytesOf = (array) => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

function rows(count, dimensions) {
  let x = 2463534242;
  return Float32Array.from({ length: count * dimensions }, () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x = (x ^ (x << 5)) >>> 0;
    return x / 2 ** 31 - 1;
  });
}

// Deletes, replaces and repairs, then asks in every way.
function changed(index, query) {
  index.delete(Array.from({ length: 200 }, (_, i) => 3 * i), { repair: false });
  index.repair({ limit: 100 });
  index.upsert(rows(40, index.dimensions), Array.from({ length: 40 }, (_, i) => 2 * i));
  index.repair();
  index.verify();
  const keys = [
    { ranges: [[100, 400]] }, { match: (key) => key % 5 < 2, without: [1] }, { budget: 100 },
    { diversity: { lambda: 0.4, fetchK: 30 } }, { plan: "two-hop", ranges: [[0, 299]] },
  ].map((options) => hash(bytesOf(index.search(query, { k: 10, ...options }).keys)));
  const { ef, recall } = index.tune({ recall: 0.8, sample: 30 });
  const { unreachable, links } = index.audit({ sample: 0 });
  const like = hash(bytesOf(index.searchLike(0, { k: 5 }).keys));
  return [...keys, like, hash(bytesOf(index.within(query, 0.9).keys)), ef, recall.recall, unreachable, links, hash(index.toBytes())].join(" ");
}

export async function scenario({ Codec, Collection, Index, MinnowError }, wasm) {
  const d = 33;
  const data = rows(600, d);
  const result = { hashes: {} };
  for (const spec of [
    "flat,f32", "flat,f16", "hnsw8,bf16", "hnsw8,sq8", "flat,bits4", "hnsw8,bits8", "flat,pq11x4+c,refine=sq6",
    "hnsw8,pca20,pq4x8,refine=f16",
  ]) {
    const index = await Index.create({ dimensions: d, metric: "cosine", spec, seed: 7, wasm });
    if (!index.info().trained) index.train(data);
    index.add(data.subarray(0, 300 * d));
    await index.addAsync(data.subarray(300 * d));
    const bytes = index.toBytes();
    const opened = await Index.open(bytes, { wasm });
    opened.verify();
    const { keys, distances } = opened.search(data.subarray(d, 2 * d), { k: 20 });
    result.hashes[spec] = [hash(bytes), hash(bytesOf(keys)), hash(bytesOf(distances))].join(" ");
    result.simd = index.info().simd;
    const packed = await opened.pack();
    const live = await packed.thaw();
    result.hashes[`${spec}, packed and thawed`] = [packed, live]
      .flatMap((from) => [hash(from.toBytes()), hash(bytesOf(from.search(data.subarray(d, 2 * d), { k: 20 }).distances))])
      .join(" ");
    result.hashes[`${spec}, changed`] = changed(live, data.subarray(d, 2 * d));
    for (const done of [index, opened, packed, live]) done.close();
  }
  const codec = await Codec.create({ dimensions: d, metric: "l2", spec: "prq11x4x2", wasm });
  codec.train(data);
  const codes = codec.encode(data);
  result.hashes.codec = [hash(codes), hash(bytesOf(codec.compare(data.subarray(0, d), codes)))].join(" ");
  const bits = await Index.create({ dimensions: d, metric: "hamming", wasm });
  bits.add(Uint8Array.from({ length: 500 }, (_, i) => (i * i * 37) >> 3));
  const near = await Index.create({ dimensions: d, metric: "ip", spec: "flat,first9,f16", wasm });
  near.add(data);
  result.hashes.bits = hash(bytesOf(bits.search(Uint8Array.of(1, 2, 3, 4, 5)).distances));
  result.hashes.refined = hash(bytesOf(
    near.search(data.subarray(0, d), { refine: (keys) => data.slice(0, keys.length * d) }).keys,
  ));
  const chosen = await Index.create({ dimensions: d, metric: "l2", count: 5000, efConstruction: 40, wasm });
  chosen.add(data);
  result.hashes.chosen = `${chosen.info().spec} ${hash(chosen.toBytes())}`;
  const collection = await Collection.create({ dimensions: 2, metric: "l2", wasm });
  collection.add([
    { id: "near", vector: [1, 0], tag: "ä" },
    { id: "far", vector: [5, 5], tag: "b" },
    { id: "other", vector: [1, 1], tag: "b" },
  ]);
  const again = await Collection.open(collection.toBytes(), { wasm });
  again.upsert({ id: "new", vector: [9, 9], tag: "b" });
  again.delete("new");
  again.update({ id: "other", tag: "c" });
  await again.compact();
  again.update({ id: "other", tag: "b" });
  result.found = again.search([1, 0.5], { limit: 2, where: { tag: ["b"] } });
  result.bytes = hash(again.toBytes());
  result.error = await Index.open(new Uint8Array(3), { wasm }).catch(
    (error) => error instanceof MinnowError && error.code,
  );
  return result;
}
