// SPDX-License-Identifier: Apache-2.0
// A reader of Minnow's blocks, written from core/FORMAT.md alone: it shares no
// code with the library. It reads every byte, and throws where one is not as
// the document says. The numbers in comments are the document's sections.

export const METRICS = [, "l2", "ip", "cosine"];
export const STRUCTURES = [, "flat", "hnsw"];
export const ENCODINGS = [, "f32", "f16", "bf16", "sq8"];

const HEADER_BYTES = 832;
const TABLE_ENTRIES = 24;
const roundUp = (bytes) => Math.ceil(bytes / 64) * 64;
const f32 = Math.fround;

function check(condition, message) {
  if (!condition) throw new Error(message);
}

// --- 6. XXH32, from the xxHash specification, seed 0 ------------------------

export function xxh32(bytes) {
  const [p1, p2, p3, p4, p5] = [
    0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1,
  ];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const rotate = (x, n) => (x << n) | (x >>> (32 - n));
  const round = (lane, word) =>
    Math.imul(rotate((lane + Math.imul(word, p2)) | 0, 13), p1);
  let at = 0;
  let hash = p5;
  if (bytes.length >= 16) {
    let lanes = [p1 + p2, p2, 0, -p1];
    for (; at + 16 <= bytes.length; at += 16) {
      lanes = lanes.map((x, i) => round(x, view.getUint32(at + 4 * i, true)));
    }
    hash = [1, 7, 12, 18].reduce((sum, n, i) => sum + rotate(lanes[i], n), 0);
  }
  hash = (hash + bytes.length) | 0;
  for (; at + 4 <= bytes.length; at += 4) {
    const word = Math.imul(view.getUint32(at, true), p3);
    hash = Math.imul(rotate((hash + word) | 0, 17), p4);
  }
  for (; at < bytes.length; at++) {
    hash = Math.imul(rotate((hash + Math.imul(bytes[at], p5)) | 0, 11), p1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), p2);
  hash = Math.imul(hash ^ (hash >>> 13), p3);
  return (hash ^ (hash >>> 16)) >>> 0;
}

// --- 1. Header and table ----------------------------------------------------

function readTable(view, count) {
  const table = [];
  for (let i = 0; i < TABLE_ENTRIES; i++) {
    const at = 64 + 32 * i;
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

function readHeader(block, view) {
  const magic = [0x4d, 0x49, 0x4e, 0x4e, 0x4f, 0x57, 0x1a, 0x0a];
  check(magic.every((byte, i) => block[i] === byte), "not a block");
  check(view.getUint16(8, true) === 1, "another major format");
  check(view.getUint16(10, true) === 0, "a later minor format");
  const zeroed = block.slice(0, HEADER_BYTES);
  zeroed.fill(0, 12, 16);
  check(view.getUint32(12, true) === xxh32(zeroed), "header checksum");
  const flags = view.getUint32(24, true);
  check(flags < 4, "unknown flags");
  check(view.getUint8(39) === 0 && view.getUint32(60, true) === 0, "not 0");
  const header = {
    blockBytes: Number(view.getBigUint64(16, true)),
    sealed: (flags & 1) !== 0,
    auto: (flags & 2) !== 0,
    dimensions: view.getUint32(32, true),
    metric: METRICS[view.getUint8(36)],
    structure: STRUCTURES[view.getUint8(37)],
    encoding: ENCODINGS[view.getUint8(38)],
    m: view.getUint32(40, true),
    efConstruction: view.getUint32(44, true),
    seed: view.getBigUint64(48, true),
    capacity: view.getUint32(56, true),
    table: readTable(view, view.getUint32(28, true)),
  };
  check(header.blockBytes === block.length, "block_bytes");
  check(header.metric && header.structure && header.encoding, "unknown option");
  check(header.dimensions >= 1 && header.dimensions <= 65535, "dimensions");
  check(header.m >= 4 && header.m <= 64, "M");
  check(
    header.efConstruction >= header.m && header.efConstruction <= 65535,
    "ef_construction",
  );
  check(header.capacity >= 1 && header.capacity < 2 ** 31, "capacity");
  return header;
}

// --- 2, 3. Lengths of the library's sections --------------------------------

const buckets = (capacity) => capacity + Math.floor(capacity / 2) + 1;

function codeBytes({ encoding, metric, dimensions: d }) {
  if (encoding === "sq8") return metric === "l2" ? d + 4 : d;
  return encoding === "f32" ? 4 * d : 2 * d;
}

// [level, number of lists] for each upper level.
function upperLevels({ m, capacity }) {
  const levels = [];
  for (let level = 1; m ** level <= capacity; level++) {
    levels.push([level, Math.ceil(capacity / m ** level)]);
  }
  return levels;
}

function sectionBytes(header) {
  const { capacity, dimensions, encoding, structure, m } = header;
  const upper = upperLevels(header).reduce((sum, [, lists]) => sum + lists, 0);
  const graph = structure === "hnsw" ? 1 : 0;
  return {
    STAT: 64,
    KEYS: 8 * capacity,
    KMAP: 4 * buckets(capacity),
    CODE: capacity * codeBytes(header),
    MODL: encoding === "sq8" ? 8 * dimensions : 0,
    LINK: graph * capacity * 4 * (1 + 2 * m),
    UPPR: graph * upper * 4 * (1 + m),
  };
}

function checkSections(block, header) {
  const expected = Object.entries(sectionBytes(header)).filter(([, b]) => b);
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

function readState(view, header) {
  const state = {
    count: view.getUint32(0, true),
    linked: view.getUint32(4, true),
    entry: view.getUint32(8, true),
    topLevel: view.getUint32(12, true),
    trained: view.getUint32(16, true),
    clipped: Number(view.getBigUint64(24, true)),
  };
  check(view.getUint32(20, true) === 0, "STAT: not 0 at 20");
  for (let at = 32; at < 64; at++) check(!view.getUint8(at), `STAT: not 0 at ${at}`);
  check(state.count <= header.capacity, "STAT: count");
  check(
    header.structure === "flat"
      ? state.linked === state.count
      : state.linked <= state.count,
    "STAT: linked",
  );
  check(state.trained <= 1 && (state.trained || !state.count), "STAT: trained");
  return state;
}

function readKeys(view, { capacity }, count) {
  const keys = [];
  for (let slot = 0; slot < capacity; slot++) {
    const key = view.getBigUint64(8 * slot, true);
    if (slot < count) keys.push(key);
    else check(key === 0n, `KEYS: slot ${slot} is not 0`);
  }
  check(new Set(keys).size === keys.length, "KEYS: one occurs twice");
  return keys;
}

// The map that entering the keys in slot order makes, byte for byte.
function checkKeyMap(view, { capacity }, keys) {
  const size = buckets(capacity);
  const map = new Uint32Array(size);
  keys.forEach((key, slot) => {
    const mixed = BigInt.asUintN(64, (key ^ (key >> 32n)) * 0x9e3779b97f4a7c15n);
    let bucket = Number(((mixed >> 32n) * BigInt(size)) >> 32n);
    while (map[bucket]) bucket = bucket + 1 === size ? 0 : bucket + 1;
    map[bucket] = slot + 1;
  });
  map.forEach((entry, i) =>
    check(view.getUint32(4 * i, true) === entry, `KMAP: bucket ${i}`),
  );
}

// --- 2. Codes ---------------------------------------------------------------

function half(bits) {
  const sign = bits >> 15 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = (bits & 1023) / 1024;
  check(exponent < 31, "CODE: a half is not finite");
  return exponent
    ? sign * 2 ** (exponent - 15) * (1 + fraction)
    : sign * 2 ** -14 * fraction;
}

const word = new DataView(new ArrayBuffer(4));

function bfloat(bits) {
  word.setUint32(0, bits << 16);
  return word.getFloat32(0);
}

// {steps} of a slot under sq8, and its {vector} in any case.
function decode(view, at, header, model) {
  const { encoding, metric, dimensions } = header;
  const vector = new Float32Array(dimensions);
  const steps = new Int8Array(encoding === "sq8" ? dimensions : 0);
  let own = 0; // of sq8 under l2: the sum of (step s)^2
  for (let j = 0; j < dimensions; j++) {
    if (encoding === "f32") vector[j] = view.getFloat32(at + 4 * j, true);
    if (encoding === "f16") vector[j] = half(view.getUint16(at + 2 * j, true));
    if (encoding === "bf16") vector[j] = bfloat(view.getUint16(at + 2 * j, true));
    if (encoding !== "sq8") continue;
    steps[j] = view.getInt8(at + j);
    const kept = f32(model.step[j] * steps[j]);
    vector[j] = model.zero[j] + kept;
    own = f32(own + f32(kept * kept));
  }
  check(vector.every(Number.isFinite), "CODE: not finite");
  if (encoding === "sq8" && metric === "l2") {
    check(view.getFloat32(at + dimensions, true) === own, "CODE: sum of squares");
  }
  return { vector, steps, own };
}

function readModel(view, { encoding, dimensions }) {
  if (encoding !== "sq8") return undefined;
  const model = {
    zero: new Float32Array(dimensions),
    step: new Float32Array(dimensions),
  };
  for (let j = 0; j < dimensions; j++) {
    model.zero[j] = view.getFloat32(4 * j, true);
    model.step[j] = view.getFloat32(4 * (dimensions + j), true);
    check(Number.isFinite(model.zero[j]) && model.step[j] >= 0, "MODL");
  }
  return model;
}

function readCodes(view, header, count, model) {
  const bytes = codeBytes(header);
  const codes = [];
  for (let slot = 0; slot < count; slot++) {
    codes.push(decode(view, slot * bytes, header, model));
  }
  for (let at = count * bytes; at < view.byteLength; at++) {
    check(!view.getUint8(at), `CODE: byte ${at} is not 0`);
  }
  return codes;
}

// --- 3. Levels and links ----------------------------------------------------

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

// links[level].get(slot), of the slots that are on the level and linked;
// `codes` are compared where a link says that its ends are twins.
function readLinks(link, upper, header, state, codes) {
  const { m, capacity } = header;
  const { linked } = state;
  const links = [new Map()];
  for (let slot = 0; slot < capacity; slot++) {
    const allowed = (other) => slot < linked && other < linked && other !== slot;
    const { list, twin } = readList(link, slot * 4 * (1 + 2 * m), 2 * m, allowed);
    const same = (x, i) => Object.is(x, codes[slot].vector[i]);
    check(twin === undefined || codes[twin].vector.every(same), "links: twins differ");
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

// --- The whole block --------------------------------------------------------

export function read(block) {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const header = readHeader(block, view);
  checkSections(block, header);
  const section = (name) => {
    const entry = header.table.find((e) => e.name === name);
    const [offset, bytes] = entry ? [entry.offset, entry.bytes] : [0, 0];
    return new DataView(block.buffer, block.byteOffset + offset, bytes);
  };
  const state = readState(section("STAT"), header);
  const keys = readKeys(section("KEYS"), header, state.count);
  checkKeyMap(section("KMAP"), header, keys);
  const model = readModel(section("MODL"), header);
  const codes = readCodes(section("CODE"), header, state.count, model);
  const links =
    header.structure === "hnsw"
      ? readLinks(section("LINK"), section("UPPR"), header, state, codes)
      : [];
  const host = header.table
    .filter((e) => /^[a-z]/.test(e.name))
    .map((e) => [e.name, block.subarray(e.offset, e.offset + e.bytes)]);
  return { header, state, keys, model, codes, links, host: new Map(host) };
}
