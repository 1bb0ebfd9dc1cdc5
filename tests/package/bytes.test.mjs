// SPDX-License-Identifier: Apache-2.0
// Saving and opening, growing, sections, and adding in steps: the same input
// gives the same bytes whichever way it went in.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Index, installed, random, refuses, rejects, row, rows, seed } from "./support.mjs";

const D = 8;
const VARIANTS = [
  "flat,f32", "flat,f16", "flat,sq8", "hnsw8,f32", "hnsw8,bf16", "hnsw8,sq8", "auto", "flat,bits3,refine=sq6",
  "hnsw8,bits8", "hnsw8,pca4,pq2x4+c,refine=bf16", "flat,prq2x3x4", "hnsw4,hadamard,sq4",
];

async function create(spec, data, options = {}) {
  const index = await Index.create({ dimensions: D, metric: "l2", spec, efConstruction: 40, ...options });
  if (!index.info().trained) index.train(data);
  return index;
}

test(`many adds give the bytes of one (seed ${seed})`, async (t) => {
  const count = 700;
  const data = rows(count, D);
  const keys = Array.from({ length: count }, (_, i) => (i * 7919) % 1000003);
  for (const spec of VARIANTS) {
    await t.test(spec, async () => {
      const once = await create(spec, data);
      once.add(data, keys);
      const bytes = once.toBytes();

      const next = random(seed + 9);
      const often = await create(spec, data, { capacity: 1 });
      for (let from = 0; from < count;) {
        const to = Math.min(count, from + Math.floor(next() * 90));
        often.add(data.subarray(from * D, to * D), keys.slice(from, to));
        if (next() < 0.2) often.toBytes(); // saving on the way changes nothing
        from = to;
      }
      assert.deepEqual(often.toBytes(), bytes);

      const steps = await create(spec, data, { capacity: 5000 });
      await steps.addAsync(data, keys);
      assert.deepEqual(steps.toBytes(), bytes);

      const half = await create(spec, data);
      half.add(data.subarray(0, 300 * D), keys.slice(0, 300));
      const reopened = await Index.open(half.toBytes());
      reopened.add(data.subarray(300 * D), keys.slice(300));
      assert.deepEqual(reopened.toBytes(), bytes);

      for (const wasm of ["simd", "scalar"]) {
        const twin = await create(spec, data, { wasm });
        twin.add(data, keys);
        assert.equal(twin.info().simd, wasm === "simd");
        assert.deepEqual(twin.toBytes(), bytes, wasm);
      }
    });
  }
});

test("what is opened answers as what was saved, and can be verified", async () => {
  const data = rows(600, D);
  const query = rows(1, D, random(seed + 3));
  for (const metric of ["l2", "ip", "cosine"]) {
    for (const spec of VARIANTS) {
      const index = await create(spec, data, { metric, seed: 77 });
      index.add(data);
      const bytes = index.toBytes();
      const info = index.info();
      assert.equal(info.sealed, true);
      assert.equal(info.capacity, 600);
      assert.equal(info.blockBytes, bytes.length);
      const opened = await Index.open(bytes);
      bytes.fill(0xee); // they were copied
      opened.verify();
      assert.deepEqual(opened.search(query, { k: 20 }), index.search(query, { k: 20 }));
      assert.deepEqual({ ...opened.info(), memoryBytes: 0 }, { ...info, memoryBytes: 0 });
      assert.deepEqual(opened.toBytes(), index.toBytes());
      opened.add(row(data, 0, D), [5000]);
      assert.equal(opened.info().sealed, false);
      opened.verify();
      assert.equal(opened.has(5000), true);
    }
  }
  const empty = await Index.open((await create("hnsw", data)).toBytes());
  assert.equal(empty.size, 0);
  empty.add(data);
  empty.verify();
});

test("open takes views, buffers and bytes that go on behind the block", async () => {
  const index = await create("flat", rows(5, D));
  index.add(rows(5, D));
  const bytes = index.toBytes();
  const longer = new Uint8Array(bytes.length + 1003).fill(7);
  longer.set(bytes, 3);
  for (const given of [bytes.buffer, Buffer.from(bytes), longer.subarray(3), longer.subarray(3, 3 + bytes.length)]) {
    const opened = await Index.open(given);
    opened.verify();
    opened.add(rows(100, D, random(5)));
    assert.equal(opened.size, 105);
  }
  for (const given of [undefined, null, "bytes", [1, 2], new Uint16Array(4), 5]) {
    await assert.rejects(Index.open(given), TypeError);
  }
});

test("the module may come as bytes or compiled, and is that of a twin", async () => {
  const data = rows(30, D);
  const index = await create("flat", data);
  index.add(data);
  for (const [file, simd] of [["minnow.wasm", true], ["minnow-scalar.wasm", false]]) {
    const bytes = await readFile(join(installed, "dist", file));
    for (const wasm of [bytes, new Uint8Array(bytes).buffer, await WebAssembly.compile(bytes)]) {
      const opened = await Index.open(index.toBytes(), { wasm });
      assert.equal(opened.info().simd, simd);
      assert.deepEqual(opened.search(row(data, 4, D)), index.search(row(data, 4, D)));
    }
    assert.equal(WebAssembly.Module.imports(new WebAssembly.Module(bytes)).length, 0);
  }
});

test("sections are kept, replaced, removed, saved and moved along", async () => {
  const data = rows(300, D);
  const index = await create("hnsw8", data, { capacity: 10 });
  const text = (string) => new TextEncoder().encode(string);
  const read = (from, name, ...range) => {
    const bytes = from.section(name, ...range);
    return bytes && new TextDecoder().decode(bytes);
  };
  assert.equal(index.section("name"), undefined);
  index.attach("name", text("first"));
  index.attach("more", text("x".repeat(100000)));
  index.add(data); // grows, so that the sections move
  index.attach("name", text("a longer second"));
  assert.equal(read(index, "name"), "a longer second");
  assert.equal(read(index, "name", 2, 8), "longer");
  assert.equal(read(index, "name", 9), "second");
  assert.equal(read(index, "name", 99), "");
  assert.equal(read(index, "name", 5, 2), "");
  assert.equal(read(index, "name", 13, 9999), "nd");
  for (const start of [-1, 0.5, NaN]) assert.throws(() => index.section("name", start), RangeError);
  assert.equal(read(index, "more").length, 100000);
  const again = await Index.open(index.toBytes());
  again.verify();
  assert.equal(read(again, "name"), "a longer second");
  again.attach("more", new Uint8Array(0));
  again.attach("none", new Uint8Array(0));
  assert.equal(again.section("more"), undefined);
  assert.equal(read(again, "name"), "a longer second");
  assert.ok(again.toBytes().length < index.toBytes().length - 99000);
  again.verify();
  assert.deepEqual(again.search(row(data, 5, D)), index.search(row(data, 5, D)));

  for (const name of ["abc", "abcde", "Abcd", "1bcd", "ab\u00e9d", "", "ab d"]) {
    refuses("section", () => index.attach(name, text("x")));
    refuses("section", () => index.section(name));
  }
  assert.throws(() => index.attach(5, text("x")), TypeError);
  assert.throws(() => index.attach("abcd", "x"), TypeError);
  for (let i = 2; i < 8; i++) index.attach(`sec${i}`, Uint8Array.of(i));
  const before = index.toBytes();
  refuses("section", () => index.attach("nine", Uint8Array.of(9)));
  assert.deepEqual(index.toBytes(), before);
  index.attach("sec5", Uint8Array.of(55, 55)); // replacing still works
  assert.deepEqual([...index.section("sec5")], [55, 55]);
});

test("addAsync: found at once, linked in steps, told about, not overlapped", async () => {
  const data = rows(3000, D);
  const index = await create("hnsw", data, { efConstruction: 100 });
  const told = [];
  const adding = index.addAsync(data, undefined, { onProgress: (p) => told.push(p) });
  assert.equal(index.size, 3000);
  assert.equal(index.info().linked, 0);
  assert.equal(index.search(row(data, 2999, D), { k: 1 }).keys[0], 2999);
  for (const change of [
    () => index.add(data), () => index.train(data), () => index.toBytes(),
    () => index.attach("abcd", Uint8Array.of(1)),
  ]) {
    refuses("busy", change);
  }
  await rejects("busy", index.addAsync(data));
  let turns = 0;
  const timer = setInterval(() => turns++, 1);
  await adding;
  clearInterval(timer);
  assert.ok(turns >= 3, `the event loop ran ${turns} times`);
  assert.ok(told.length >= 3);
  assert.deepEqual(told.at(-1), { done: 2944, total: 2944 }); // 46 batches; 56 wait
  told.forEach((p, i) => assert.ok(p.done % 64 === 0 && (i === 0 || p.done > told[i - 1].done)));
  assert.equal(index.info().linked, 2944);
  index.verify();
  index.toBytes();

  const few = [];
  await index.addAsync(data.subarray(0, 7 * D), Array(7).fill().map((_, i) => 9000 + i), { onProgress: (p) => few.push(p) });
  assert.deepEqual(few, [{ done: 7, total: 7 }]); // nothing to link: 63 wait
  assert.equal(index.info().linked, 2944);
  index.add(data.subarray(0, D), [9999]);
  assert.equal(index.info().linked, 3008);

  const flat = await create("flat", data);
  const once = [];
  await flat.addAsync(data, undefined, { onProgress: (p) => once.push(p) });
  assert.deepEqual(once, [{ done: 3000, total: 3000 }]);
});

test("addAsync: errors and aborts", async () => {
  const data = rows(3000, D);
  const bad = rows(3, D);
  bad[D] = NaN;
  const index = await create("hnsw", data, { efConstruction: 100 });
  assert.equal((await rejects("not-finite", index.addAsync(bad))).row, 1);
  await assert.rejects(index.addAsync([1]), TypeError);
  await assert.rejects(index.addAsync(data, undefined, { signal: AbortSignal.abort("early") }), (e) => e === "early");
  assert.equal(index.size, 0);

  const controller = new AbortController();
  const adding = index.addAsync(data, undefined, {
    signal: controller.signal,
    onProgress: ({ done }) => done > 50 && controller.abort(new Error("enough")),
  });
  await assert.rejects(adding, /^Error: enough$/);
  const { count, linked } = index.info();
  assert.equal(count, 3000);
  assert.ok(linked > 50 && linked < 3000, `linked ${linked}`);
  for (const at of [0, linked, 2999]) {
    assert.equal(index.search(row(data, at, D), { k: 1 }).keys[0], at);
  }
  const saved = await Index.open(index.toBytes());
  saved.verify();
  assert.equal(saved.info().linked, linked);
  await saved.addAsync(new Float32Array(0)); // links the rest
  const whole = await create("hnsw", data, { efConstruction: 100 });
  whole.add(data);
  assert.deepEqual(saved.toBytes(), whole.toBytes());

  const careless = index.addAsync(new Float32Array(0), undefined, {
    onProgress: () => {
      throw new Error("careless");
    },
  });
  await assert.rejects(careless, /careless/);
  const closing = index.addAsync(new Float32Array(0));
  index.close();
  await rejects("closed", closing);
});

test("several indexes live side by side", async () => {
  const one = await create("flat", rows(9, D));
  const two = await create("flat", rows(9, D));
  one.add(rows(9, D));
  two.add(rows(3, D, random(4)));
  one.close();
  assert.equal(two.size, 3);
});
