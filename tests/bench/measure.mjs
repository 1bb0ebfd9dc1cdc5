// SPDX-License-Identifier: Apache-2.0
// How libraries are compared, natively and in a page alike. A peer is an index
// that has been built:
//
//   { library, spec, vectors, build: {wall, cpu?, bytes, …},
//     count(ef)         → {recall, distances, hops, …} over all queries
//     time(ef, queries) → {queries, wall, cpu?} for the first so many queries
//     close() }
//
// `ef` is the candidates that a graph keeps, all of which are refined where the
// index refines; of an inverted file, the lists that are searched; without
// either, the candidates that are refined.
//
// First each peer's `ef` is looked for that reaches a recall, and a grid of them
// for the curve of recall against speed; then all of them are timed at these in
// turns, pass by pass, so that what slows the machine for a while slows them all.

const grid = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048];
const defaultEf = 64;
/** A curve ends where this is found, or where the next point finds hardly more;
 * it is timed in few passes, since it is looked at rather than read off. */
const curveEnd = { recall: 0.998, gain: 0.0005 };
const curvePasses = 3;

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** A spec string of the library's, without what the bench alone understands
 * behind it (see index.h). */
const librarySpec = (spec) => spec.split(" ")[0];

/** Whether an index looks at every vector, and once: candidates are refined by
 * another encoding, or by more planes. */
const isExhaustive = (spec) => spec.startsWith("flat") && !/refine=|bits[4-8]$/.test(librarySpec(spec));

/** Whether a peer's walks end by gamma. */
export const hasGamma = ({ library, spec }) => library === "Minnow" && spec.startsWith("hnsw");

/** The encoding that a spec string ends in. */
const encodingOf = (spec) => librarySpec(spec).split(",").at(-1);

/** Counts at one ef, remembered: the walk is deterministic. */
export function remembered(peer) {
  const known = new Map();
  return async (ef) => {
    if (!known.has(ef)) known.set(ef, { ef, ...(await peer.count(ef)) });
    return known.get(ef);
  };
}

/** The least ef that makes a difference: a graph keeps k candidates anyhow. */
const leastEf = (spec) => (spec.startsWith("ivf") ? 1 : grid[0]);

/** The smallest ef with at least `recall`, or undefined. */
export async function smallestEf(count, recall, spec = "") {
  let above = 0;
  while (above < grid.length && (await count(grid[above])).recall < recall) above++;
  if (above === grid.length) return undefined;
  let high = grid[above];
  let low = above ? grid[above - 1] : leastEf(spec) - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((await count(middle)).recall >= recall) high = middle;
    else low = middle;
  }
  return high;
}

/** The points of a peer's curve, none beyond what its codes can find. */
async function curveOf(count) {
  const points = [];
  for (const ef of grid) {
    const point = await count(ef);
    const gain = point.recall - (points.at(-1)?.recall ?? 0);
    points.push({ aim: "curve", ...point });
    if (point.recall >= curveEnd.recall || gain < curveEnd.gain) break;
  }
  return points;
}

/** The points at which a peer is timed: [{ef, aim, recall, …}]. */
async function choosePoints(peer, flatRecall) {
  const count = remembered(peer);
  if (isExhaustive(peer.spec)) return [{ aim: "exhaustive", ...(await count(defaultEf)) }];
  const aims = [["0.95", 0.95], ["0.99", 0.99]];
  const flat = flatRecall.get(encodingOf(peer.spec));
  if (flat !== undefined) aims.push(["flat - 0.005", flat - 0.005]);
  const points = [hasGamma(peer)
    ? { aim: "default", ...(await count(0)) } : { aim: `ef ${defaultEf}`, ...(await count(defaultEf)) }];
  for (const [aim, recall] of aims) {
    const ef = await smallestEf(count, recall, peer.spec);
    if (ef !== undefined) points.push({ aim, ...(await count(ef)) });
  }
  return [...points, ...(await curveOf(count))];
}

/** Measures all peers and gives one row per peer and point. */
export async function measure(peers, { passes, log = () => {} }) {
  const flatRecall = new Map();
  const rows = [];
  for (const peer of [...peers].sort((a, b) => isExhaustive(b.spec) - isExhaustive(a.spec))) {
    log(`${peer.library} ${peer.spec}: looking for ef`);
    const points = await choosePoints(peer, flatRecall);
    if (isExhaustive(peer.spec) && peer.library === "Minnow") flatRecall.set(encodingOf(peer.spec), points[0].recall);
    for (const point of points) rows.push({ peer, point, seconds: [], walls: [] });
  }
  const timed = rows.filter((row, i) => i === rows.findIndex((other) => sameRun(other, row)));
  for (let pass = 0; pass < passes; pass++) {
    log(`timing, pass ${pass + 1} of ${passes}`);
    for (const row of timed) {
      if (row.point.aim === "curve" && pass >= curvePasses) continue;
      const { queries, wall, cpu = wall } = await row.peer.time(row.point.ef, isExhaustive(row.peer.spec) ? 100 : Infinity);
      row.seconds.push(cpu / queries);
      row.walls.push(wall / queries);
    }
  }
  return rows.map((row) => {
    const { peer, point } = row;
    const { seconds, walls } = timed.find((other) => sameRun(other, row));
    return {
      library: peer.library, spec: peer.spec, ...point,
      queriesPerSecond: 1 / median(seconds), slowestPass: 1 / Math.max(...seconds),
      fastestPass: 1 / Math.min(...seconds), wallPerSecond: median(walls) / median(seconds),
      build: peer.build, buildPerSecond: peer.vectors / (peer.build.cpu ?? peer.build.wall),
      bytesPerVector: peer.build.bytes / peer.vectors,
      heapPerVector: peer.build.heap && peer.build.heap / peer.vectors,
    };
  });
}

const sameRun = (a, b) => a.peer === b.peer && a.point.ef === b.point.ef;
