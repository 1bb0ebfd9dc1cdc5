// SPDX-License-Identifier: Apache-2.0
// A reader of Minnow's blocks, written from core/FORMAT.md alone: it shares no
// code with the library. It reads every byte, and throws where one is not as
// the document says. The numbers in comments are the document's sections.
import { encodingName, encodingOf } from "./encodings.mjs";
import { check } from "./floats.mjs";
import { linkBytes, readEntries, readLinks } from "./graph.mjs";
import { centroidBytes, listBytes, readCentroids, readLists } from "./lists.mjs";
import { transformOf } from "./transforms.mjs";
import { xxh32 } from "./xxh32.mjs";

const METRICS = [, "l2", "ip", "cosine", "hamming", "jaccard"];
const STRUCTURES = [, "flat", "hnsw", "ivf"];
const TRANSFORMS = ["none", "hadamard", "first", "pca", "opq"];

const HEADER_BYTES = 896;
const TABLE_AT = 128;
const TABLE_ENTRIES = 24;
const roundUp = (bytes) => Math.ceil(bytes / 64) * 64;

// --- 1. Header and table ----------------------------------------------------

function readTable(view, count) {
  const table = [];
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    const at = TABLE_AT + 32 * i;
    const entry = {
      name: String.fromCharCode(...[0, 1, 2, 3].map((j) => view.getUint8(at + j))),
      version: view.getUint32(at + 4, true),
      offset: Number(view.getBigUint64(at + 8, true)),
      bytes: Number(view.getBigUint64(at + 16, true)),
      checksum: view.getUint32(at + 24, true),
    };
    check(view.getUint32(at + 28, true) === 0, `entry ${i}: not 0 at its end`);
    if (i < count) table.push(entry);
    else {
      const { name, version, offset, bytes, checksum } = entry;
      check(
        name === "\0\0\0\0" && !version && !offset && !bytes && !checksum,
        `unused entry ${i} is not 0`,
      );
    }
  }
  return table;
}

const within = (x, least, most) => x >= least && x <= most;

function checkOptions(h) {
  const { metric, encoding, refine, transform, dimensions: d } = h;
  check(metric && h.structure && encoding && transform, "unknown option");
  check(within(d, 1, 65535), "dimensions");
  check(within(h.m, 4, 64), "M");
  check(within(h.efConstruction, h.m, 65535), "ef_construction");
  check(within(h.capacity, 1, 2 ** 31 - 1), "capacity");
  const isIvf = h.structure === "ivf";
  check(within(h.nlist, isIvf ? 1 : 0, isIvf ? 65536 : 0), "nlist");
  const isBinary = metric === "hamming" || metric === "jaccard";
  check((encoding === "sign") === isBinary, "sign and metric");
  check(refine === "none" || refine, "unknown refine");
  check(!["sign", "pq", "prq"].includes(refine), `refine is ${refine}`);
  check(!isBinary || refine === "none", "refine of signs");
  check(!isBinary || ["none", "first"].includes(transform), "transform of signs");
  const keeps = transform === "first" || transform === "pca";
  check(within(h.kept, keeps ? 1 : 0, keeps ? d : 0), "kept_dimensions");
  const isPq = encoding === "pq" || encoding === "prq";
  check(transform !== "opq" || isPq, "opq without codebooks");
  if (!isPq) {
    check(!h.pqBits && !h.nrq && !h.correction && !h.pqM, "pq fields are not 0");
    return;
  }
  if (encoding === "pq") check([4, 8].includes(h.pqBits) && h.nrq === 1, "pq");
  else check(within(h.pqBits, 1, 12) && within(h.nrq, 1, 16), "prq");
  check(within(h.pqM, 1, Math.floor(65535 / h.nrq)), "pq_m");
  check((keeps ? h.kept : d) % h.pqM === 0, "pq_m: not a divisor");
}

function readHeader(block, view) {
  const magic = [0x4d, 0x49, 0x4e, 0x4e, 0x4f, 0x57, 0x1a, 0x0a];
  check(magic.every((byte, i) => block[i] === byte), "not a block");
  check(view.getUint16(8, true) === 3, "another major format");
  check(view.getUint16(10, true) === 0, "a later minor format");
  const zeroed = block.slice(0, HEADER_BYTES);
  zeroed.fill(0, 12, 16);
  check(view.getUint32(12, true) === xxh32(zeroed), "header checksum");
  const flags = view.getUint32(24, true);
  check(flags < 16 && (flags & 6) !== 6 && (flags & 10) !== 8, "unknown flags");
  for (let at = 76; at < TABLE_AT; at++) check(!block[at], `not 0 at ${at}`);
  const header = {
    blockBytes: Number(view.getBigUint64(16, true)),
    sealed: (flags & 1) !== 0,
    auto: (flags & 2) !== 0,
    packed: (flags & 4) !== 0,
    dimensions: view.getUint32(32, true),
    metric: METRICS[view.getUint8(36)],
    structure: STRUCTURES[view.getUint8(37)],
    encoding: encodingName(view.getUint8(38)),
    refine: view.getUint8(39) ? encodingName(view.getUint8(39)) : "none",
    m: view.getUint8(40),
    transform: TRANSFORMS[view.getUint8(41)],
    pqBits: view.getUint8(42),
    nrq: view.getUint8(43) & 127,
    correction: view.getUint8(43) >> 7 === 1,
    efConstruction: view.getUint16(44, true),
    pqM: view.getUint16(46, true),
    seed: view.getBigUint64(48, true),
    capacity: view.getUint32(56, true),
    kept: view.getUint16(60, true),
    lowBits: view.getUint16(62, true),
    links: Number(view.getBigUint64(64, true)),
    nlist: view.getUint32(72, true),
    table: readTable(view, view.getUint32(28, true)),
  };
  check(header.blockBytes === block.length, "block_bytes");
  checkOptions(header);
  const isCompressed = header.packed && header.structure === "hnsw";
  check(within(header.lowBits, 0, isCompressed ? 31 : 0), "low_bits");
  check(within(header.links, 0, isCompressed ? 2 ** 32 - 1 : 0), "links");
  return header;
}

// --- 2. Lengths of the library's sections -----------------------------------

const buckets = (capacity) => capacity + Math.floor(capacity / 2) + 1;

// Transform, encoding and refine, and where MODL has their models.
function partsOf(header) {
  const transform = transformOf(header);
  const code = encodingOf(header.encoding, {
    ...header,
    dimensions: transform.kept,
  });
  const fine =
    header.refine === "none" ? undefined : encodingOf(header.refine, header);
  let modelBytes = 0;
  const centroids = { modelBytes: centroidBytes(header, transform.kept) };
  const models = [transform, code, fine, centroids].map((part) => {
    const bytes = part?.modelBytes ?? 0;
    const at = bytes ? roundUp(modelBytes) : modelBytes;
    modelBytes = at + bytes;
    return { at, bytes };
  });
  return { transform, code, fine, models, modelBytes };
}

function sectionBytes(header, { code, fine, modelBytes }) {
  const { capacity, structure } = header;
  const graph = structure === "hnsw" ? 1 : 0;
  return {
    STAT: 128,
    LIVE: header.packed ? 0 : 4 * Math.ceil(capacity / 32),
    KEYS: 8 * capacity,
    KMAP: 4 * buckets(capacity),
    CODE: capacity * code.codeBytes,
    REST: capacity * code.restBytes,
    FINE: capacity * (fine?.codeBytes ?? 0),
    FRST: capacity * (fine?.restBytes ?? 0),
    MODL: modelBytes,
    LINK: graph * linkBytes(header),
    ENTR: graph * 256,
    LIST: listBytes(header),
  };
}

function checkSections(block, header, parts) {
  const expected = Object.entries(sectionBytes(header, parts)).filter(([, b]) => b);
  let at = HEADER_BYTES;
  header.table.forEach((entry, i) => {
    const [name, bytes] = expected[i] ?? [];
    if (name) {
      check(entry.name === name, `section ${i} is ${entry.name}, not ${name}`);
      check(entry.bytes === bytes, `${name}: ${entry.bytes} bytes, not ${bytes}`);
    } else {
      check(/^[a-z]/.test(entry.name), `${entry.name}: not a host's name`);
      check(entry.bytes > 0, `${entry.name}: empty`);
    }
    check(entry.version === 1, `${entry.name}: version`);
    check(entry.offset === at, `${entry.name}: offset`);
    const end = at + entry.bytes;
    at = roundUp(end);
    check(at <= block.length, `${entry.name}: leaves the block`);
    check(block.subarray(end, at).every((byte) => !byte), `${entry.name}: padding`);
    const sum = header.sealed ? xxh32(block.subarray(entry.offset, end)) : 0;
    check(entry.checksum === sum, `${entry.name}: checksum`);
  });
  check(header.table.length >= expected.length, "a section is missing");
  check(header.table.length <= expected.length + 8, "too many host sections");
  check(at === block.length, "the block goes on behind its last section");
}

// --- 2. State, keys, key map ------------------------------------------------

function readState(view, header, modelBytes) {
  const state = {
    count: view.getUint32(0, true),
    linked: view.getUint32(4, true),
    entries: view.getUint32(8, true),
    stride: view.getUint32(12, true),
    trained: view.getUint32(16, true),
    dead: view.getUint32(20, true),
    clipped: Number(view.getBigUint64(24, true)),
    error: Number(view.getBigUint64(32, true)),
    added: Number(view.getBigUint64(40, true)),
    free: view.getUint32(48, true),
    freeFirst: view.getUint32(52, true),
    pendingFirst: view.getUint32(56, true),
    pendingLast: view.getUint32(60, true),
    sweep: view.getUint32(64, true),
    cursor: view.getUint32(68, true),
    era: view.getUint32(72, true),
    dying: view.getUint32(76, true),
    tunedEf: view.getUint32(80, true),
    tunedRefineK: view.getFloat32(88, true),
    tunedGamma: view.getFloat32(92, true),
  };
  state.vectors = state.count - state.dead - state.free;
  for (let at = 96; at < 128; at++) check(!view.getUint8(at), `STAT: not 0 at ${at}`);
  check(state.count <= header.capacity, "STAT: count");
  check(!header.packed || state.count === header.capacity, "STAT: count, packed");
  const isGraph = header.structure === "hnsw";
  const settled = state.count - state.free;
  check(isGraph ? state.linked <= settled : state.linked === settled, "STAT: linked");
  check(state.dead <= (isGraph && !header.packed ? state.linked : 0), "STAT: dead");
  check(!header.packed || !state.free, "STAT: free");
  checkRepair(state);
  check(state.trained <= 1 && (state.trained || !state.count), "STAT: trained");
  check(state.trained || modelBytes, "STAT: trained without a model");
  const least = isGraph && state.linked > state.dead ? 1 : 0;
  check(within(state.entries, least, isGraph && state.linked ? 64 : 0), "STAT: entries");
  check(state.entries ? Number.isInteger(Math.log2(state.stride)) : !state.stride, "STAT: stride");
  check(state.vectors <= state.added && state.clipped <= state.added, "STAT: added");
  check(state.error <= 2 ** 31 * state.added, "STAT: error");
  check(state.tunedEf <= 65535, "STAT: tuned_ef");
  check(within(state.tunedGamma, 0, header.metric === "ip" ? 0 : 16), "STAT: tuned_gamma");
  check(!state.tunedRefineK || within(state.tunedRefineK, 1, 65535), "STAT: tuned_refine_k");
  return state;
}

function checkRepair({ sweep, cursor, era, dying, dead, count }) {
  check(sweep <= 2 && cursor <= count && era <= 1 && dying <= dead, "STAT: repair");
  check(sweep || (!cursor && !dying), "STAT: a sweep that is not on");
}

// What is in each slot: "live", "dead", "dying" or "free".
function readSlots(live, keyView, { packed, capacity }, state) {
  const isLive = (slot) => packed || (live.getUint8(slot >> 3) >> (slot & 7)) & 1;
  for (let slot = state.count; slot < 8 * live.byteLength; slot++) {
    check(!isLive(slot), `LIVE: slot ${slot} is not in use`);
  }
  const slots = Array.from({ length: state.count }, (_, slot) => {
    if (isLive(slot)) return "live";
    const mark = keyView.getUint32(8 * slot + 4, true);
    check(!mark || !keyView.getUint32(8 * slot, true), `KEYS: dead slot ${slot}`);
    check(mark <= 2, `KEYS: era of slot ${slot}`);
    if (!mark) return "free";
    return mark === state.era + 1 ? "dead" : "dying";
  });
  const number = (what) => slots.filter((slot) => slot === what).length;
  check(number("free") === state.free, "STAT: free");
  check(number("dying") === state.dying, "STAT: dying");
  check(number("dead") + number("dying") === state.dead, "STAT: dead");
  const chain = new Set();
  for (let named = state.freeFirst; named; named = keyView.getUint32(8 * (named - 1), true)) {
    check(slots[named - 1] === "free" && !chain.has(named), "KEYS: chain of free slots");
    chain.add(named);
  }
  check(chain.size === state.free, "KEYS: a free slot that is not in the chain");
  for (let at = 8 * state.count; at < 8 * capacity; at++) {
    check(!keyView.getUint8(at), `KEYS: byte ${at} is not 0`);
  }
  return slots;
}

// Keys by slot, undefined where there is no vector.
function readKeys(view, slots) {
  const keys = slots.map((what, slot) =>
    what === "live" ? view.getBigUint64(8 * slot, true) : undefined,
  );
  const some = keys.filter((key) => key !== undefined);
  check(new Set(some).size === some.length, "KEYS: one occurs twice");
  return keys;
}

// Every key is found by probing, and nothing else stands in the map; where
// nothing was deleted it is the map that entering them in slot order makes.
function checkKeyMap(view, { capacity }, keys, isUntouched) {
  const size = buckets(capacity);
  const map = new Uint32Array(size);
  const stored = (bucket) => view.getUint32(4 * bucket, true);
  keys.forEach((key, slot) => {
    if (key === undefined) return;
    const mixed = BigInt.asUintN(64, (key ^ (key >> 32n)) * 0x9e3779b97f4a7c15n);
    let bucket = Number(((mixed >> 32n) * BigInt(size)) >> 32n);
    const isAt = () => (isUntouched ? !map[bucket] : stored(bucket) === slot + 1);
    while (!isAt()) {
      check(isUntouched || stored(bucket), `KMAP: slot ${slot} is not found`);
      bucket = bucket + 1 === size ? 0 : bucket + 1;
    }
    map[bucket] = slot + 1;
  });
  map.forEach((entry, i) => check(stored(i) === entry, `KMAP: bucket ${i}`));
}

// --- 2. Models and codes ----------------------------------------------------

const part = (view, at, bytes) =>
  new DataView(view.buffer, view.byteOffset + at, bytes);

// The transform, and the codecs of CODE and FINE, with their models.
function openParts(view, header, { transform, code, fine, models }, { trained }) {
  const isUsed = (i) => models.some(({ at, bytes }) => at <= i && i < at + bytes);
  for (let i = 0; i < view.byteLength; i++) {
    const isNothing = view.getUint8(i) === 0;
    check(isNothing || (trained && isUsed(i)), `MODL: byte ${i} is not 0`);
  }
  const [t, c, f, l] = models.map(({ at, bytes }) => part(view, at, bytes));
  return {
    transform: transform.open(t),
    codec: code.open(c),
    fine: fine?.open(f),
    centroids: readCentroids(l, header, transform.kept),
  };
}

const isZero = (view) => {
  for (let at = 0; at < view.byteLength; at++) if (view.getUint8(at)) return false;
  return true;
};

function readCodes(codeView, restView, codec, layout, slots) {
  const { codeBytes, restBytes } = layout;
  const count = slots.length;
  const codes = Array.from({ length: count }, (_, slot) => ({
    code: part(codeView, slot * codeBytes, codeBytes),
    rest: part(restView, slot * restBytes, restBytes),
  }));
  codes.forEach((code, slot) => {
    if (slots[slot] === "free") {
      check(isZero(code.code) && isZero(code.rest), `codes: free slot ${slot}`);
      return;
    }
    try {
      codec.check(code);
    } catch (error) {
      throw new Error(`code of slot ${slot}: ${error.message}`);
    }
  });
  for (const [view, bytes] of [[codeView, codeBytes], [restView, restBytes]]) {
    for (let at = count * bytes; at < view.byteLength; at++) {
      check(!view.getUint8(at), `codes: byte ${at} behind the last is not 0`);
    }
  }
  return codes;
}

// --- The whole block --------------------------------------------------------

export function read(block) {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const header = readHeader(block, view);
  const parts = partsOf(header);
  checkSections(block, header, parts);
  const section = (name) => {
    const entry = header.table.find((e) => e.name === name);
    return part(view, entry?.offset ?? 0, entry?.bytes ?? 0);
  };
  const state = readState(section("STAT"), header, parts.modelBytes);
  const slots = readSlots(section("LIVE"), section("KEYS"), header, state);
  const keys = readKeys(section("KEYS"), slots);
  const isUntouched = state.added === state.count && state.vectors === state.count;
  checkKeyMap(section("KMAP"), header, keys, isUntouched);
  const opened = openParts(section("MODL"), header, parts, state);
  const { codec, fine } = opened;
  const codes = readCodes(section("CODE"), section("REST"), codec, parts.code, slots);
  const fineCodes = fine
    ? readCodes(section("FINE"), section("FRST"), fine, parts.fine, slots)
    : [];
  const isGraph = header.structure === "hnsw";
  const graph = isGraph ? readLinks(section("LINK"), header, state, codes, slots) : undefined;
  const entries = isGraph ? readEntries(section("ENTR"), state, graph) : [];
  const isVector = (slot) => slots[slot] === "live";
  const lists = header.nlist
    ? readLists(section("LIST"), header, state.count, isVector)
    : [];
  const host = header.table
    .filter((e) => /^[a-z]/.test(e.name))
    .map((e) => [e.name, block.subarray(e.offset, e.offset + e.bytes)]);
  return {
    header, state, slots, keys, ...opened, codes, fineCodes, graph, entries, lists,
    host: new Map(host),
  };
}
