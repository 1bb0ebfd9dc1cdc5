// SPDX-License-Identifier: Apache-2.0
// Links of hnsw blocks, live and packed, and walking them (core/FORMAT.md, 5).
import { check, f32 } from "./floats.mjs";

const TWIN = 2 ** 31;

// --- Lengths ----------------------------------------------------------------

const highMost = ({ capacity, lowBits }) =>
  Math.floor((capacity - 1) / 2 ** lowBits) + 1;

// Where the parts of a packed section begin, and its bits of lists.
function packedParts(header) {
  const { capacity, lowBits, links } = header;
  const counts = 4 * Math.ceil(capacity / 16);
  const lists = Math.ceil((counts + capacity) / 8) * 8;
  const bits = links * (1 + lowBits) + capacity * highMost(header);
  return { counts, lists, bits };
}

export function linkBytes(header) {
  if (!header.packed) return header.capacity * 4 * (1 + 2 * header.m);
  const { lists, bits } = packedParts(header);
  return lists + Math.ceil(bits / 8) + 8;
}

// --- Lists: {links, isTwin, twin, before} by slot, or {waits, after, before} -

function readLive(view, { m, capacity }, state, slots) {
  const lists = Array.from({ length: capacity }, (_, slot) => {
    const at = slot * 4 * (1 + 2 * m);
    const word = (i) => view.getUint32(at + 4 * i, true);
    const isTwin = word(0) >= TWIN;
    const length = word(0) % TWIN;
    check(length <= 2 * m, "links: too many");
    if (word(0) === TWIN) {
      for (let i = 3; i <= 2 * m; i++) check(!word(i), "links: not 0 while waiting");
      return { links: [], waits: slots[slot] === "live", after: word(1), before: word(2) };
    }
    const isUsed = slots[slot] && slots[slot] !== "free";
    check(isUsed || word(0) === 0, "links: of a slot without a vector");
    const links = Array.from({ length }, (_, i) => word(1 + i));
    for (let i = length; i < 2 * m; i++) {
      check(word(1 + i) === 0, "links: not 0 behind a list");
    }
    const twin = links.at(-1) >= TWIN ? links.pop() - TWIN : undefined;
    check(!isTwin || links.length === 1, "links: a twin's list");
    return isTwin
      ? { links: [], isTwin, twin, before: links[0] }
      : { links, isTwin, twin };
  });
  checkPending(lists, state);
  return lists;
}

// The chain of those that wait, forth and back.
function checkPending(lists, state) {
  let before = 0;
  let count = 0;
  for (let named = state.pendingFirst; named; named = lists[named - 1].after) {
    const list = lists[named - 1];
    check(list?.waits && list.before === before, "LINK: the chain of those that wait");
    before = named;
    check(++count <= state.count, "LINK: a chain without an end");
  }
  check(before === state.pendingLast, "STAT: pending_last");
  const waiting = lists.filter(({ waits }) => waits).length;
  check(waiting === count, "LINK: one waits that is not in the chain");
  check(waiting === state.count - state.free - state.linked, "STAT: linked");
}

function readPacked(view, header, { linked }) {
  const { m, capacity, lowBits } = header;
  const parts = packedParts(header);
  const high = highMost(header);
  const count = (slot) => view.getUint8(parts.counts + slot);
  const bit = (at) => (view.getUint8(parts.lists + (at >> 3)) >> (at & 7)) & 1;
  let before = 0;
  const lists = Array.from({ length: capacity }, (_, slot) => {
    if (slot % 16 === 0) {
      check(view.getUint32(slot / 4, true) === before, "LINK: links before");
    }
    const size = count(slot);
    check(size <= 2 * m, "links: too many");
    const begin = before * (1 + lowBits) + slot * high;
    let low = begin + size + high;
    const links = [];
    for (let at = 0; at < size + high; at++) {
      if (!bit(begin + at)) continue;
      let link = (at - links.length) * 2 ** lowBits;
      for (let i = 0; i < lowBits; i++) link += bit(low++) * 2 ** i;
      links.push(link);
    }
    check(links.length === size, "links: not as many as counted");
    check(links.every((l, i) => !i || l > links[i - 1]), "links: not ascending");
    check(slot < linked || !size, "links: of a slot that is not linked");
    before += size;
    return { links };
  });
  check(before === header.links, "links: not as many as the header says");
  const zero = (at) => check(view.getUint8(at) === 0, `LINK: not 0 at ${at}`);
  for (let at = parts.counts + capacity; at < parts.lists; at++) zero(at);
  for (let at = parts.bits; at % 8; at++) check(!bit(at), "LINK: bits left");
  for (let i = 1; i <= 8; i++) zero(view.byteLength - i);
  return hang(lists, linked);
}

// Twins of a packed block: those without links, behind their first one.
function hang(lists, linked) {
  lists.slice(linked).forEach((list) => (list.waits = true));
  lists.slice(0, linked).forEach((list, slot) => {
    list.isTwin = !list.links.length;
    if (list.isTwin) list.before = slot - 1;
    check(slot || !list.isTwin, "links: a twin of nothing");
    const next = lists[slot + 1];
    if (slot + 1 < linked && !next.links.length) list.twin = slot + 1;
    if (list.links.join() === `${slot}`) list.links = []; // it has no other
  });
  return lists;
}

const bytesOf = (view) =>
  new Uint8Array(view.buffer, view.byteOffset, view.byteLength).join();

const same = (a, b) =>
  bytesOf(a.code) === bytesOf(b.code) && bytesOf(a.rest) === bytesOf(b.rest);

// The lists of all slots in use, and what the document says of them.
export function readLinks(view, header, state, codes, slots) {
  const read = header.packed ? readPacked : readLive;
  const lists = read(view, header, state, slots).slice(0, state.count);
  const isPassedBy = (slot) => slots[slot] === "dying" && state.sweep === 2;
  // Whether lists may lead to it.
  const isPassed = (slot) => {
    const list = lists[slot];
    return list && slots[slot] !== "free" && !list.waits && !list.isTwin && !isPassedBy(slot);
  };
  const hung = new Set();
  lists.forEach(({ links, waits, isTwin, twin, before }, slot) => {
    if (slots[slot] === "free" || waits || isPassedBy(slot)) return;
    const lead = links.every((other) => other !== slot && isPassed(other));
    check(lead, "links: to a slot that is not there, or to a twin");
    check(new Set(links).size === links.length, "links: one occurs twice");
    check(slots[slot] === "live" || (!isTwin && twin === undefined), "links: a dead twin");
    if (isTwin) {
      check(lists[before]?.twin === slot, "links: a twin of nothing");
      check(same(codes[before], codes[slot]), "links: twins differ");
    }
    if (twin === undefined) return;
    check(lists[twin]?.isTwin && lists[twin].before === slot, "links: the next is no twin");
    check(!hung.has(twin), "links: in two chains");
    hung.add(twin);
  });
  const twins = lists.filter(({ isTwin }) => isTwin).length;
  check(hung.size === twins, "links: a twin that hangs on nothing");
  checkEnds(lists);
  return lists;
}

// Every chain of twins begins at one that is none.
function checkEnds(lists) {
  let chained = 0;
  lists.forEach(({ isTwin, twin }) => {
    if (isTwin) return;
    for (; twin !== undefined; twin = lists[twin].twin) chained++;
  });
  const twins = lists.filter(({ isTwin }) => isTwin).length;
  check(chained === twins, "links: twins in a circle");
}

// --- Entries ----------------------------------------------------------------

// What entering the slots of a block that was never packed gives, in order.
export function entered(graph) {
  let entries = [];
  let stride = 1;
  graph.forEach(({ isTwin, waits }, slot) => {
    if (isTwin || waits || slot % stride) return;
    if (entries.length === 64) {
      entries = entries.filter((_, i) => i % 2 === 0);
      stride *= 2;
    }
    if (slot % stride === 0) entries.push(slot);
  });
  return { entries, stride };
}

export function readEntries(view, { entries: count }, graph) {
  const words = Array.from({ length: 64 }, (_, i) => view.getUint32(4 * i, true));
  const entries = words.slice(0, count);
  check(words.slice(count).every((word) => !word), "ENTR: not 0 behind the last");
  check(entries.every((slot) => graph[slot] && !graph[slot].waits), "ENTR: not linked");
  check(entries.every((slot) => !graph[slot].isTwin), "ENTR: a twin");
  check(new Set(entries).size === count, "ENTR: one occurs twice");
  return entries;
}

// --- Walking ----------------------------------------------------------------

// The vectors that a walk keeps, {slot, distance} nearest first, or undefined
// where the block must be scanned. `distance` of a slot; room for `ef`; `wanted`
// candidates, for `k` hits; `end` as in exact.mjs.
export function walk({ graph, entries, keys, state }, distance, { ef, wanted, k, end }) {
  const kept = [];
  const met = new Set();
  const isBefore = (a, b) =>
    a.distance < b.distance ||
    (a.distance === b.distance && keys[a.slot] < keys[b.slot]);
  const enter = (one) => {
    const at = kept.findIndex((other) => isBefore(one, other));
    kept.splice(at < 0 ? kept.length : at, 0, one);
    if (kept.length > ef) kept.pop();
  };
  const meet = (slot) => ({ slot, distance: distance(slot) });
  const begin = entries.map(meet).reduce((a, b) => (isBefore(b, a) ? b : a));
  met.add(begin.slot);
  enter(begin);
  let followed = 0;
  const farthest = () => {
    const nearest = end && followed >= end.least && kept[end.rank - 1]?.distance;
    return nearest > 0 ? f32(end.reach * nearest) : Infinity;
  };
  for (let next; (next = kept.find((one) => !one.isFollowed)); ) {
    const limit = farthest();
    if (next.distance > limit) {
      kept.length = kept.indexOf(next);
      break;
    }
    next.isFollowed = true;
    followed++;
    const bound = Math.min(limit, kept.length < ef ? Infinity : kept.at(-1).distance);
    for (const slot of graph[next.slot].links) {
      if (met.has(slot)) continue;
      met.add(slot);
      const one = meet(slot);
      if (one.distance < bound) enter(one);
    }
  }
  hangIn(graph, kept, met, enter, wanted);
  if (kept.length < k && kept.length < state.linked) return undefined;
  graph.forEach(({ waits }, slot) => waits && enter(meet(slot)));
  return kept;
}

// The twins of the best `wanted` join.
function hangIn(graph, kept, met, enter, wanted) {
  const isOpen = (one) =>
    !one.isDone &&
    (kept.length < wanted || one.distance < kept[wanted - 1].distance);
  for (let one; (one = kept.slice(0, wanted).find(isOpen)); ) {
    one.isDone = true;
    const { twin } = graph[one.slot];
    if (twin === undefined || met.has(twin)) continue;
    met.add(twin);
    enter({ slot: twin, distance: one.distance });
  }
}
