// SPDX-License-Identifier: Apache-2.0
// Levels and links of hnsw blocks (core/FORMAT.md, 5).
import { check } from "./floats.mjs";

// [level, number of lists] for each upper level.
export function upperLevels({ m, capacity }) {
  const levels = [];
  for (let level = 1; m ** level <= capacity; level++) {
    levels.push([level, Math.ceil(capacity / m ** level)]);
  }
  return levels;
}

function mixed(seed, level, group) {
  let h = Number(seed & 0xffffffffn) ^ Math.imul(level, 0x9e3779b9);
  for (const w of [Number(seed >> 32n), group]) {
    h ^= w;
    h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h >>> 0;
}

export function levelOf({ m, seed }, slot) {
  let level = 0;
  for (; m ** (level + 1) <= slot + 1; level++) {
    const group = Math.floor(slot / m ** level);
    if (group % m !== mixed(seed, level + 1, Math.floor(group / m)) % m) break;
  }
  return level;
}

const TWIN = 0x80000000;

function readList(view, at, most, allowed) {
  const length = view.getUint32(at, true);
  check(length <= most, "links: too many");
  const links = [];
  for (let i = 0; i < most; i++) {
    const link = view.getUint32(at + 4 + 4 * i, true);
    if (i < length) links.push(link);
    else check(link === 0, "links: not 0 behind a list");
  }
  check(links.slice(0, -1).every((link) => link < TWIN), "links: a twin's is not last");
  const list = links.map((link) => link % TWIN);
  check(list.every(allowed), "links: to a slot that is not there");
  check(new Set(list).size === length, "links: one occurs twice");
  return { list, twin: links.at(-1) >= TWIN ? list.at(-1) : undefined };
}

const bytesOf = (view) =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength).join();

const same = (a, b) =>
  bytesOf(a.code) === bytesOf(b.code) && bytesOf(a.rest) === bytesOf(b.rest);

// links[level].get(slot), of the slots that are on the level and linked;
// `codes` are compared where a link says that its ends are twins.
export function readLinks(link, upper, header, state, codes) {
  const { m, capacity } = header;
  const { linked } = state;
  const links = [new Map()];
  for (let slot = 0; slot < capacity; slot++) {
    const allowed = (other) => slot < linked && other < linked && other !== slot;
    const { list, twin } = readList(link, slot * 4 * (1 + 2 * m), 2 * m, allowed);
    check(twin === undefined || same(codes[slot], codes[twin]), "links: twins differ");
    if (slot < linked) links[0].set(slot, list);
  }
  let at = 0;
  for (const [level, lists] of upperLevels(header)) {
    links.push(new Map());
    for (let number = 0; number < lists; number++, at += 4 * (1 + m)) {
      const first = number * m ** level;
      const members = Array.from({ length: m ** level }, (_, i) => first + i);
      const [owner] = members.filter(
        (slot) => slot < linked && levelOf(header, slot) >= level,
      );
      const allowed = (other) =>
        owner !== undefined &&
        other < linked &&
        other !== owner &&
        levelOf(header, other) >= level;
      const { list, twin } = readList(upper, at, m, allowed);
      check(twin === undefined, "links: a twin above level 0");
      check(level <= state.topLevel || !list.length, "links: above top_level");
      if (owner !== undefined) links[level].set(owner, list);
    }
  }
  if (linked) {
    check(state.entry < linked, "STAT: entry");
    check(state.topLevel === levelOf(header, state.entry), "STAT: top_level");
  }
  return links;
}
