// SPDX-License-Identifier: Apache-2.0
// Search in what reader.mjs read, by the rules at the ends of core/FORMAT.md, 5
// and 6: candidates, by a scan or a walk, then refine.
import { distanceOf, f32, normalised } from "./floats.mjs";
import { walk } from "./graph.mjs";

// The query, or a vector to encode, as FINE and as CODE get it.
export function prepared({ header, transform }, vector) {
  if (header.metric !== "cosine") return [vector, transform.map(vector)];
  const unit = normalised(vector);
  const mapped = transform.map(unit);
  return [unit, mapped === unit ? unit : normalised(mapped)];
}

// Every vector of the block, nearest first: {slot, key, distance}.
function rank(keys, slots, distance) {
  return slots
    .map((slot) => ({ slot, key: keys[slot], distance: distance(slot) }))
    .sort((a, b) => a.distance - b.distance || (a.key < b.key ? -1 : 1));
}

const defaultPlanes = ({ planes, packed }) => (planes >= 4 ? packed : planes);

// What the candidates are ranked again by, if anything is.
function refiner(index, query, mapped, first, { planes, refineBy, rows }) {
  const { header, codec, codes, fine, fineCodes } = index;
  if (rows) {
    const exact = (slot) => prepared(index, rows[slot])[0];
    return (slot) => distanceOf(header.metric, query, exact(slot));
  }
  if (fine) {
    const distance = fine.measure(query);
    return (slot) => distance(fineCodes[slot]);
  }
  const by = refineBy || (planes ? 0 : codec.planes);
  if (!(by > first)) return undefined;
  const distance = codec.measure(mapped, by);
  return (slot) => distance(codes[slot]);
}

const withVectors = ({ keys, codes }) =>
  [...codes.keys()].filter((slot) => keys[slot] !== undefined);

// The slots that the candidates are taken from, of which `wanted` are refined.
function sifted(index, mapped, planes, wanted) {
  const { header, keys, codec, codes } = index;
  const slots = withVectors(index);
  if (slots.length < codes.length) return slots;
  const size = Math.max(256, 4 * wanted);
  if (header.structure !== "flat" || planes !== 1 || codec.packed !== 1) return slots;
  if (size >= slots.length || size > 4096) return slots;
  const measure = codec.sift(mapped);
  const found = rank(keys, slots, (slot) => measure(codes[slot]));
  return found.slice(0, size).map(({ slot }) => slot);
}

// Where a walk ends: once `least` were followed, what is farther than `reach`
// times the one at place `rank` is not. Undefined: nowhere.
function endOf({ header }, { k, ef, gamma, rows }, wanted) {
  if (header.metric === "ip" || (ef && !gamma)) return undefined;
  const factor = f32(1 + f32(gamma || 0.1));
  const rank = rows ? wanted : k;
  return { reach: header.metric === "jaccard" ? factor : f32(factor * factor), rank: Math.max(rank, 10), least: gamma ? 0 : 64 };
}

// The candidates, nearest first. Where slots have no vector, blocks as small as
// the golden ones are scanned.
function find(index, measure, slots, options, wanted) {
  const { header, state, keys, codes } = index;
  const distance = (slot) => measure(codes[slot]);
  const { k, ef } = options;
  const end = endOf(index, options, wanted);
  const room = { k, wanted, end, ef: (end ? 4 : 1) * Math.max(ef || 128, wanted) };
  const kept =
    header.structure === "hnsw" && state.linked && state.vectors === state.count
      ? walk(index, distance, room)
      : undefined;
  return (kept ?? rank(keys, slots, distance)).slice(0, wanted);
}

// The k best. Options: k; ef, planes, refineBy and refineK where the query says
// them; `rows`, the vectors themselves by slot, where they refine.
export function search(index, vector, options) {
  const { keys, codec, codes } = index;
  const [query, mapped] = prepared(index, vector);
  const planes = options.planes || defaultPlanes(codec);
  const measure = codec.measure(mapped, planes);
  const all = withVectors(index);
  const refined = refiner(index, query, mapped, planes, options);
  const wanted = refined
    ? Math.ceil(f32(f32(options.refineK || 10) * options.k))
    : options.k;
  const slots = refined ? sifted(index, mapped, planes, wanted) : all;
  const found = find(index, measure, slots, options, wanted);
  const candidates = found.map(({ slot }) => slot);
  return refined
    ? rank(keys, candidates, refined).slice(0, options.k)
    : found.map((hit) => ({ ...hit, key: keys[hit.slot] }));
}
