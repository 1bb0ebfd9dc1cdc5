// SPDX-License-Identifier: Apache-2.0
// The same rows give the same index, whatever they come in.
import assert from "node:assert/strict";
import { f32, fvecs, jsonl, makeCoarseRows, makeRows, npy } from "./vectors.mjs";

// Builds `name` from each source and expects the bytes of the first.
function expectSame(minnow, name, words, sources) {
  let first;
  for (const { file, bytes, stdin, more = [] } of sources) {
    if (file) minnow.write(file, bytes);
    minnow.succeed(["build", file ?? "-", "-o", name, ...words, ...more],
      { stdin });
    first ??= minnow.read(name);
    assert.ok(first.equals(minnow.read(name)),
      `${name} from ${file ?? "standard input"} ${more.join(" ")}`);
    assert.ok(!minnow.has(name + ".tmp"));
  }
  return first;
}

function everyFormat(rows) {
  const dimensions = ["--dimensions", String(rows[0].length)];
  const sources = [
    { file: "rows.npy", bytes: npy(rows) },
    { file: "rows.npy", bytes: npy(rows, { version: 2 }) },
    { file: "rows.npy", bytes: npy(rows, { version: 3 }) },
    { file: "wide.npy", bytes: npy(rows, { type: "<f8" }) },
    { file: "rows.fvecs", bytes: fvecs(rows) },
    { file: "rows.f32", bytes: f32(rows), more: dimensions },
    { file: "rows.jsonl", bytes: jsonl(rows) },
    { file: "rows.bin", bytes: f32(rows), more: [...dimensions, "--format", "f32"] },
    { stdin: npy(rows), more: ["--format", "npy"] },
    { stdin: fvecs(rows), more: ["--format", "fvecs"] },
    { stdin: f32(rows), more: [...dimensions, "--format", "f32"] },
    { stdin: jsonl(rows), more: ["--format", "jsonl"] },
  ];
  return sources;
}

export function run(suite) {
  for (const metric of ["l2", "ip", "cosine"])
    suite.each(`every format, ${metric}`, (minnow) => {
      const rows = makeRows(300, 20, 3);
      expectSame(minnow, `formats-${metric}.index`, ["--metric", metric],
        everyFormat(rows));
    });

  suite.each("half precision numbers", (minnow) => {
    const rows = makeCoarseRows(100, 12, 5);
    expectSame(minnow, "half.index", ["--metric", "l2"], [
      { file: "rows.npy", bytes: npy(rows) },
      { file: "half.npy", bytes: npy(rows, { type: "<f2" }) },
      { stdin: npy(rows, { type: "<f2" }), more: ["--format", "npy"] },
    ]);
  });

  // 5,000 rows: a pipe grows the index from 1,024, past the size from which
  // `auto` makes a graph.
  suite.each("growing past a graph's beginning", (minnow) => {
    const rows = makeRows(5000, 8, 7);
    expectSame(minnow, "grown.index",
      ["--metric", "l2", "--spec", "auto,f32", "--ef-construction", "40"], [
        { file: "rows.npy", bytes: npy(rows) },
        { stdin: npy(rows), more: ["--format", "npy"] },
        { file: "rows.jsonl", bytes: jsonl(rows) },
      ]);
    const info = JSON.parse(minnow.succeed(["info", "grown.index", "--json"]).stdout);
    assert.equal(info.spec, "hnsw16,f32");
    assert.equal(info.auto, true);
    assert.equal(info.linked, 5000 - 5000 % 64); // whole batches
    assert.equal(info.capacity, 5000);
  });

  // 4,000 rows: growing overshoots to a graph, and the last size has none.
  suite.each("growing and staying flat", (minnow) => {
    const rows = makeRows(4000, 4, 11);
    expectSame(minnow, "flat.index", ["--metric", "ip", "--spec", "auto,f32"], [
      { file: "rows.f32", bytes: f32(rows), more: ["--dimensions", "4"] },
      { stdin: f32(rows), more: ["--dimensions", "4", "--format", "f32"] },
    ]);
    const info = JSON.parse(minnow.succeed(["info", "flat.index", "--json"]).stdout);
    assert.equal(info.spec, "flat,f32");
    assert.equal(info.capacity, 4000);
  });

  // Numbers that grow from row to row: a sample of all rows knows their range.
  suite.each("training", (minnow) => {
    const rows = makeRows(20000, 4, 13)
      .map((row, i) => row.map((x) => Math.fround(x + i / 1000)));
    const words = ["--metric", "l2", "--spec", "flat,sq8"];
    const clipped = () =>
      JSON.parse(minnow.succeed(["info", "trained.index", "--json"]).stdout).clipped;
    const sources = [
      { file: "rows.fvecs", bytes: fvecs(rows) },
      { stdin: fvecs(rows), more: ["--format", "fvecs"] },
      { file: "rows.jsonl", bytes: jsonl(rows) },
    ];
    expectSame(minnow, "trained.index", [...words, "--train", "500"], sources);
    const few = clipped();
    assert.ok(few >= 1 && few < 1000, `${few} clipped`);
    assert.match(minnow.succeed(["build", "rows.fvecs", "-o", "trained.index",
      ...words, "--train", "500"]).stderr,
    /rows.fvecs: \d+ vectors lie beyond the range of the 500 that were trained on/);
    expectSame(minnow, "trained.index", words, sources);
    assert.ok(clipped() < few, `${clipped()} clipped`);
  });

  for (const encoding of ["f16", "bf16", "sq8", "sq6", "bits3", "pq5x4+c",
    "pca6,prq3x4x2,refine=sq8", "hadamard,bits8,refine=f16"])
    suite.each(`${encoding}, graph and scan`, (minnow) => {
      const rows = makeRows(600, 10, 17);
      for (const structure of ["flat", "hnsw6"])
        expectSame(minnow, `${structure}-${encoding.replaceAll(",", "-")}.index`,
          ["--metric", "cosine", "--spec", `${structure},${encoding}`], [
            { file: "rows.npy", bytes: npy(rows) },
            { stdin: jsonl(rows), more: ["--format", "jsonl"] },
          ]);
    });

  suite.each("keys", (minnow) => {
    const rows = makeRows(50, 6, 19);
    const keys = rows.map((_, i) => String(2n ** 64n - 1n - BigInt(i * i)));
    minnow.write("keys.txt", keys.join("\n") + "\n");
    minnow.write("keys-crlf.txt", keys.join("\r\n"));
    // JSON.stringify cannot write integers beyond 2^53.
    const lines = jsonl(rows).trim().split("\n");
    const withField = (field) =>
      lines.map((line, i) => `{"${field}": ${keys[i]}, ${line.slice(1)}\n`).join("");
    expectSame(minnow, "keys.index", ["--metric", "l2", "--spec", "flat"], [
      { file: "rows.npy", bytes: npy(rows), more: ["--keys", "keys.txt"] },
      { file: "rows.npy", bytes: npy(rows), more: ["--keys", "keys-crlf.txt"] },
      { file: "rows.npy", bytes: npy(rows), more: ["--keys", "-"],
        stdin: keys.join("\n") },
      { file: "keyed.jsonl", bytes: withField("key") },
      { file: "ided.jsonl", bytes: withField("id") },
      { file: "both.jsonl", bytes: lines.map((line, i) =>
        `{"id": ${i}, "key": ${keys[i]}, ${line.slice(1)}\n`).join("") },
      { file: "text-id.jsonl", bytes: jsonl(rows, (i) => ({ id: `r${i}` })),
        more: ["--keys", "keys.txt"] },
    ]);
    const hit = JSON.parse(minnow.succeed(["search", "keys.index", "rows.npy",
      "-k", "1", "--json"]).stdout.split("\n")[49].replace(/\d{16,}/g, '"$&"'));
    assert.deepEqual(hit, { query: 49, keys: [keys[49]], distances: [0] });
  });

  suite.each("row numbers given as keys change nothing", (minnow) => {
    const rows = makeRows(40, 6, 23);
    expectSame(minnow, "numbered.index", ["--metric", "l2"], [
      { file: "rows.npy", bytes: npy(rows) },
      { file: "rows.jsonl", bytes: jsonl(rows, (key) => ({ key })) },
    ]);
  });

  suite.each("another seed gives another graph", (minnow) => {
    const words = ["--metric", "l2", "--spec", "hnsw8"];
    minnow.write("rows.npy", npy(makeRows(500, 6, 29)));
    minnow.succeed(["build", "rows.npy", "-o", "seed-0.index", ...words]);
    minnow.succeed(["build", "rows.npy", "-o", "seed-1.index", ...words,
      "--seed", "1"]);
    assert.ok(!minnow.read("seed-0.index").equals(minnow.read("seed-1.index")));
  });

  // Each decimal beside the float nearest to it; ties go to the even one.
  // Reading a double first would round the second and the fourth wrongly.
  suite.each("numbers in jsonl are rounded correctly", (minnow) => {
    const ulp = 2 ** -23;
    const numbers = [
      ["1.000000059604644775390625", 1],
      ["1.000000059604644775390625000000000000000000000000001", 1 + ulp],
      ["1.000000178813934326171875", 1 + 2 * ulp],
      ["1.000000178813934326171874999999999999999999999999999", 1 + ulp],
      ["0.1", Math.fround(0.1)],
      ["-0.0", -0],
      ["1e-45", 2 ** -149],
      ["7.006492321624085354618e-46", 0],
      ["7.006492321624085354619e-46", 2 ** -149],
      ["1.1754943508222875e-38", 2 ** -126],
      ["123456789012345678", Math.fround(123456789012345678)],
      ["16777217E0", 16777216],
    ];
    const text = `{"embedding": [${numbers.map(([text]) => text).join(", ")}]}`;
    expectSame(minnow, "rounding.index", ["--metric", "l2", "--spec", "flat"], [
      { file: "numbers.f32", bytes: f32([numbers.map(([, x]) => x)]),
        more: ["--dimensions", String(numbers.length)] },
      { file: "numbers.jsonl", bytes: text },
    ]);
  });

  suite.each("jsonl with all that JSON has", (minnow) => {
    const deep = "[".repeat(32) + '{"a":'.repeat(32) + "1" + "}".repeat(32) +
      "]".repeat(32);
    const lines = [
      `{"text":"\\u00e9 \\" \\\\ \\/ \\n","embedding":[1,2],"n":null}\r`,
      "",
      ` {"nested":{"a":[1,[2,{}],[]],"embedding":[9]},"embedding":[3 , 4.0e0]} `,
      `{"embedding":[5,-6.25],"deep":${deep},"t":true,"f":false}`,
      `{"x":-0.5E+3,"é":"ü","embedding"\t:\t[7,8],"":{}}`,
      "  ",
    ];
    expectSame(minnow, "json.index", ["--metric", "l2"], [
      { file: "plain.f32", bytes: f32([[1, 2], [3, 4], [5, -6.25], [7, 8]]),
        more: ["--dimensions", "2"] },
      { file: "all.jsonl", bytes: lines.join("\n") },
    ]);
  });

  suite.each("an array of one axis is one row", (minnow) => {
    const rows = makeRows(1, 9, 31);
    const one = npy(rows);
    const text = one.toString("latin1").replace("(1, 9)", "(9,)  ");
    expectSame(minnow, "one.index", ["--metric", "l2"], [
      { file: "two-axes.npy", bytes: one },
      { file: "one-axis.npy", bytes: Buffer.from(text, "latin1"),
        more: ["--dimensions", "9"] },
    ]);
  });
}
