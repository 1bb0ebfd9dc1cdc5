// SPDX-License-Identifier: Apache-2.0
// The data set of a page, and what is true of it.
export const k = 10;
export const truthCount = 100;
export let set;

const fetchArray = async (path, Type) => {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return new Type(await response.arrayBuffer());
};

export async function load(manifest) {
  const path = `/data/${manifest.name}`;
  const [base, query, truth] = await Promise.all([
    fetchArray(`${path}.base.f32`, Float32Array),
    fetchArray(`${path}.query.f32`, Float32Array),
    fetchArray(`${path}.truth.f64`, Float64Array),
  ]);
  set = { ...manifest, base, query, truth };
}

export const rowOf = (array, i) => array.subarray(i * set.dimensions, (i + 1) * set.dimensions);

/** As bench_distance in set.h. */
export function trueDistance(a, b) {
  let dot = 0, aa = 0, bb = 0, l2 = 0;
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    aa += a[i] * a[i];
    bb += b[i] * b[i];
    l2 += (a[i] - b[i]) ** 2;
  }
  if (set.metric === "l2") return l2;
  return set.metric === "ip" ? -dot : 1 - dot / Math.sqrt(aa * bb);
}

/** [from, to) of 500 rows at a time: both libraries copy what is added into
 * their memory, which never shrinks again. */
export function* parts(rows = 500) {
  for (let from = 0; from < set.n; from += rows) yield [from, Math.min(set.n, from + rows)];
}

/** As bench_train in index.h. */
export function sample(enough) {
  const rows = Math.min(set.n, enough);
  const taken = new Float32Array(rows * set.dimensions);
  for (let i = 0; i < rows; i++) taken.set(rowOf(set.base, Math.floor((i * set.n) / rows)), i * set.dimensions);
  return taken;
}
