// SPDX-License-Identifier: Apache-2.0
// How many pages of a block a query reads (pages.c), of 4 KB as memory has them
// and of 64 KB as an index is fetched over a network, and what links take.
import { pointsAt, publishCounts } from "./counts.mjs";
import { setArguments } from "./data.mjs";
import { compileWithMinnow, launch } from "./programs.mjs";
import { commandLine, whole } from "./report.mjs";

/** The rows of one index, one for each aim. */
async function pagesOf(set, spec) {
  const points = await pointsAt(set, spec, [0.95, 0.99, "default"]);
  const { ready, ask, close } = await launch("pages", [...setArguments(set), spec]);
  const rows = [];
  for (const point of points) {
    rows.push({
      spec, ...point, ...(await ask(point.ef)), bytes: ready.bytes,
      linksPerVector: ready.links / set.n, bitsPerLink: (8 * ready.bytes.links) / ready.links,
    });
  }
  close();
  return rows;
}

const kinds = ["codes", "links", "model", "rest", "all"];
const columns = [
  ["index", (row) => row.spec],
  ["aim", (row) => String(row.aim)],
  ["ef, nprobe", (row) => String(row.ef || "–")],
  ["recall@10", (row) => row.recall.toFixed(4)],
  ["distances", (row) => whole(row.distances)],
  ...kinds.map((kind) => [`4 KB: ${kind}`, (row) => whole(row.small[kind])]),
  ...kinds.map((kind) => [`64 KB: ${kind}`, (row) => whole(row.large[kind])]),
  ["bytes/vector", (row) => row.bytesPerVector.toFixed(1)],
  ["links/vector", (row) => (row.linksPerVector ? row.linksPerVector.toFixed(2) : "–")],
  ["bits/link", (row) => (row.linksPerVector ? row.bitsPerLink.toFixed(1) : "–")],
];

const options = commandLine({
  specs: ["flat,bits8", "hnsw16,bits8", "hnsw16,bits8 packed", "ivf,bits8", "ivf,bits8 packed"],
  quickSpecs: ["hnsw16,bits8", "hnsw16,bits8 packed", "ivf,bits8 packed"],
});
compileWithMinnow("pages", "pages.c");
await publishCounts("pages", options, {
  about: "Distinct pages that a query reads, on average over all queries; a page of 64 KB counts once under each kind that is read in it.\n\n",
  columns, left: 2, rowsOf: pagesOf,
});
