// SPDX-License-Identifier: Apache-2.0
// Inputs that no index can be built from, or that no index can be asked.
import { f32, fvecs, jsonl, makeRows, npy, npyHeader } from "./vectors.mjs";

const rows = makeRows(10, 4, 61);

// Rows with row 7, number 3 replaced.
function withNumber(x) {
  const changed = rows.map((row) => Float32Array.from(row));
  changed[7][2] = x;
  return changed;
}

function withZeroRow() {
  return rows.map((row, i) => i === 7 ? new Float32Array(4) : row);
}

const header = (text) => Buffer.concat([npyHeader(text), f32(rows)]);
const lines = (...bad) => jsonl(rows.slice(0, 2)) + bad.join("\n") + "\n";
const cut = (bytes, count) => bytes.subarray(0, bytes.length - count);
const wide = (x) => npy(rows.map((row) =>
  Float64Array.from(row, (y, i) => i === 2 ? x : y)), { type: "<f8" });

// [file, its bytes, what standard error says, more words]; all end with 3.
const bad = [
  // Values
  ["nan.npy", npy(withNumber(NaN)), /byte 240 \(row 7\): number 3 of 4 is NaN/],
  ["nan.fvecs", fvecs(withNumber(NaN)), /byte 140 \(row 7\): number 3 of 4 is NaN/],
  ["infinite.f32", f32(withNumber(Infinity)), /byte 112 \(row 7\): number 3 of 4 is infinite/,
    ["--dimensions", "4"]],
  ["large.f32", f32(withNumber(1e25)), /row 7\): the squares of its numbers sum to 1e\+50/,
    ["--dimensions", "4"]],
  ["beyond.npy", wide(1e300), /row 0\): number 3 of 4 is infinite/],
  ["nan-sq8.npy", npy(withNumber(NaN)), /row 7\): number 3 of 4 is NaN/, ["--spec", "sq8"]],
  ["zero.npy", npy(withZeroRow()), /row 7\): a zero vector has no direction/,
    ["--metric", "cosine"]],
  ["zero-sq8.jsonl", jsonl(withZeroRow()), /line 8 \(row 7\): a zero vector/,
    ["--metric", "cosine", "--spec", "sq8"]],
  ["f16.npy", npy(withNumber(70000)), /row 7\): a number beyond what f16 holds/,
    ["--spec", "f16"]],

  // npy
  ["text.npy", "hello world", /byte 0: not an \.npy file/],
  ["short.npy", Buffer.from("\x93NUM", "latin1"), /not an \.npy file/],
  ["version.npy", Buffer.concat([Buffer.from("\x93NUMPY\x09\x00", "latin1"), Buffer.alloc(99)]),
    /byte 6: version 9\.0; versions 1 to 3/],
  ["huge.npy", Buffer.from("\x93NUMPY\x02\x00\xff\xff\xff\x7f{", "latin1"), /header of 2147483647 bytes/],
  ["headless.npy", cut(npyHeader("{'descr': '<f4'"), 20), /header: ends too early/],
  ["truncated.npy", cut(npy(rows), 6), /byte 272 \(row 9\): ends after 10 of the row's 16 bytes/],
  ["missing.npy", cut(npy(rows), 32), /ends after 8 of the header's 10 rows/],
  ["longer.npy", Buffer.concat([npy(rows), f32(rows)]), /byte 288: more bytes than the header's 10 rows/],
  ["empty.npy", "", /empty\.npy: empty; a \.npy file/],
  ["none.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (0, 4), }"), /no rows/],
  ["flat.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (40,), }"),
    /an array of 1 axes; 2 are expected.*--dimensions/],
  ["scalar.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (), }"), /an array of 0 axes/],
  ["cube.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 5, 4), }"), /an array of 3 axes/],
  ["fortran.npy", header("{'descr': '<f4', 'fortran_order': True, 'shape': (10, 4), }"), /ascontiguousarray/],
  ["big.npy", header("{'descr': '>f4', 'fortran_order': False, 'shape': (10, 4), }"), /numbers of type '>f4'/],
  ["integer.npy", header("{'descr': '<i8', 'fortran_order': False, 'shape': (10, 4), }"), /numbers of type '<i8'/],
  ["struct.npy", header("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (10,), }"),
    /header, byte 20: a number type such as '<f4' is expected/],
  ["half.npy", header("{'descr': '<f4', 'shape': (10, 4), }"), /descr, fortran_order and shape/],
  ["words.npy", header("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (10, 4), }"),
    /header, byte 44: True or False is expected/],
  ["unquoted.npy", header("{descr: '<f4'}"), /header, byte 11: descr, fortran_order or shape is expected/],
  ["unknown.npy", header("{'order': 'C'}"), /byte 19: the value of descr, fortran_order or shape is expected/],
  ["bare.npy", header("'descr': '<f4'"), /byte 10: `{` is expected/],
  ["colon.npy", header("{'descr' '<f4'}"), /byte 19: `:` is expected/],
  ["close.npy", header("{'descr': '<f4' 'shape': (10, 4)}"), /byte 26: `,` or `}` is expected/],
  ["list.npy", header("{'descr': '<f4', 'shape': [10, 4]}"), /a shape such as \(1000, 384\) is expected/],
  ["minus.npy", header("{'descr': '<f4', 'shape': (-1, 4)}"), /a length is expected/],
  ["points.npy", header("{'descr': '<f4', 'shape': (10; 4)}"), /`,` or `\)` is expected/],
  ["after.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (10, 4), } x"), /only spaces after `}`/],
  ["vast.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 4), }"),
    /a length below 2\^64/],
  ["broad.npy", header("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 65536), }"),
    /65536 dimensions; 1 to 65535/],
  ["wrong.npy", npy(rows), /rows of 4 numbers, but --dimensions says 5/, ["--dimensions", "5"]],

  ["bits.npy", header("{'descr': '|u1', 'fortran_order': False, 'shape': (10, 4), }"),
    /numbers of type '\|u1'.*packed bits are for hamming and jaccard/],
  ["wide.npy", header("{'descr': '|i1', 'fortran_order': False, 'shape': (10, 8192), }"),
    /65536 dimensions; 1 to 65535/, ["--metric", "hamming"]],
  ["wrong.npy", header("{'descr': '|i1', 'fortran_order': False, 'shape': (10, 4), }"),
    /rows of 32 numbers, but --dimensions says 24/, ["--metric", "hamming", "--dimensions", "24"]],
  ["words.npy", header("{'descr': '<u2', 'fortran_order': False, 'shape': (10, 4), }"),
    /numbers of type '<u2'/, ["--metric", "hamming"]],
  ["cut.npy", cut(header("{'descr': '|u1', 'fortran_order': False, 'shape': (40, 4), }"), 2),
    /byte 284 \(row 39\): ends after 2 of the row's 4 bytes/, ["--metric", "jaccard"]],

  // Training
  ["few.npy", npy(rows), /few\.npy: 10 rows, and this --spec needs at least 16 to train on/,
    ["--spec", "pq2x4"]],
  ["nan-pq.npy", npy(withNumber(NaN)), /row 7\): number 3 of 4 is NaN/, ["--spec", "pca2,sq4"]],

  // fvecs
  ["empty.fvecs", "", /empty/],
  ["short.fvecs", Buffer.from([4, 0]), /ends within the row's length/],
  ["zero.fvecs", Buffer.alloc(8), /0 dimensions; 1 to 65535/],
  ["negative.fvecs", Buffer.alloc(8, 0xff), /4294967295 dimensions/],
  ["mixed.fvecs", Buffer.concat([fvecs(rows), fvecs(makeRows(1, 5, 1))]),
    /byte 200 \(row 10\): says it has 5 numbers, but the rows before have 4/],
  ["truncated.fvecs", cut(fvecs(rows), 1), /byte 184 \(row 9\): ends after 15 of the row's 16/],
  ["bare.fvecs", cut(fvecs(rows), 16), /byte 180 \(row 9\): ends after the row's length/],

  // f32
  ["empty.f32", "", /empty/, ["--dimensions", "4"]],
  ["truncated.f32", cut(f32(rows), 3), /byte 144 \(row 9\): ends after 13 of the row's 16 bytes/,
    ["--dimensions", "4"]],

  // jsonl
  ["empty.jsonl", "", /empty/],
  ["blank.jsonl", "\n \n", /only blank lines/],
  ["array.jsonl", "[1,2]\n", /line 1, byte 1: expected an object.* found `\[`/],
  ["nothing.jsonl", lines('{"text":"x"}'), /line 3 \(row 2\): no `embedding`/],
  ["none.jsonl", '{"embedding":[]}', /line 1, byte 15: expected a number/],
  ["nan.jsonl", lines('{"embedding":[1,NaN,3,4]}'), /line 3, byte 17: expected a number \(NaN .* found `N`/],
  ["null.jsonl", lines('{"embedding":null}'), /line 3, byte 14: expected an array of numbers, found `n`/],
  ["string.jsonl", lines('{"embedding":["1"]}'), /expected a number.*found `"`/],
  ["zeros.jsonl", lines('{"embedding":[01,2,3,4]}'), /line 3, byte 16: expected `,` or `\]`, found `1`/],
  ["point.jsonl", lines('{"embedding":[1.,2,3,4]}'), /byte 17: expected a digit, found `,`/],
  ["exponent.jsonl", lines('{"embedding":[1e,2,3,4]}'), /expected a digit/],
  ["plus.jsonl", lines('{"embedding":[+1,2,3,4]}'), /expected a number/],
  ["sign.jsonl", lines('{"embedding":[-,2,3,4]}'), /byte 16: expected a digit/],
  ["unnamed.jsonl", lines('{1:2}'), /line 3, byte 2: expected a string, found `1`/],
  ["inner.jsonl", lines('{"x":{"y" 1}}'), /expected `:`, found `1`/],
  ["comma.jsonl", lines('{"embedding":[1,2,3,4,]}'), /expected a number.*found `\]`/],
  ["open.jsonl", lines('{"embedding":[1,2,3,4'), /line 3, byte 22: expected `,` or `\]`, found the line's end/],
  ["end.jsonl", '{"embedding":[1,2', /line 1, byte 18: .* found the end/],
  ["two.jsonl", lines('{"embedding":[1,2,3,4]}{}'), /expected the line's end, found `{`/],
  ["again.jsonl", lines('{"embedding":[1,2,3,4],"embedding":[1,2,3,4]}'), /a second `embedding`/],
  ["fewer.jsonl", lines('{"embedding":[1,2,3]}'), /line 3 \(row 2\): `embedding` has 3 numbers, but the rows before have 4/],
  ["overflow.jsonl", lines('{"embedding":[1,2,3,1e39]}'), /line 3, byte 25: .* beyond a 32-bit float/],
  ["long.jsonl", lines(`{"embedding":[0.${"1".repeat(300)}]}`), /at most 255 characters/],
  ["broad.jsonl", `{"embedding":[${"0,".repeat(65535)}0]}`, /more than 65535 numbers/],
  ["deep.jsonl", lines(`{"x":${"[".repeat(65)}`), /at most 64 arrays and objects/],
  ["word.jsonl", lines('{"x":nul,"embedding":[1,2,3,4]}'), /expected true, false or null, found `,`/],
  ["escape.jsonl", lines('{"x":"\\q"}'), /expected an escape/],
  ["unicode.jsonl", lines('{"x":"\\u12x4"}'), /4 hexadecimal digits/],
  ["control.jsonl", lines('{"x":"a\tb"}'), /closing quote, found byte 0x09/],
  ["colon.jsonl", lines('{"x" 1}'), /expected `:`/],
  ["brace.jsonl", lines('{"x":1]'), /expected `,` or `}`, found `\]`/],
  ["nested.jsonl", lines('{"x":{"y":[1}}'), /expected `,` or `\]`, found `}`/],
  ["textual.jsonl", lines('{"x":what}'), /expected a value, found `w`/],
  ["binary.jsonl", Buffer.from([0x93, 0x4e]), /found byte 0x93/],

  // Keys
  ["text-key.jsonl", '{"id":"a","embedding":[1]}', /line 1, byte 7: expected a key, an integer/],
  ["minus-key.jsonl", '{"key":-1,"embedding":[1]}', /expected a key/],
  ["real-key.jsonl", '{"key":1.5,"embedding":[1]}', /is not a key, an integer/],
  ["large-key.jsonl", '{"key":18446744073709551616,"embedding":[1]}', /is not a key/],
  ["key-twice.jsonl", '{"key":1,"key":1,"embedding":[1]}', /a second key/],
  ["some-keys.jsonl", '{"key":1,"embedding":[1]}\n{"embedding":[2]}',
    /line 2 \(row 1\): has no key, but the rows before have one/],
  ["late-keys.jsonl", '{"embedding":[1]}\n{"key":1,"embedding":[2]}',
    /line 2 \(row 1\): has a key, but the rows before have none/],
  ["same-keys.jsonl", jsonl(rows, (i) => ({ key: i % 9 })), /line 10 \(row 9\): its key, 0, is an earlier row's too/],
  ["rows.npy", npy(rows), /same\.txt|its key, 3, is an earlier/, ["--keys", "same.txt"]],
  ["rows.npy", npy(rows), /few\.txt: ends after 3 keys/, ["--keys", "few.txt"]],
  ["rows.npy", npy(rows), /many\.txt: line 11: a key too many: rows\.npy has 10 rows/, ["--keys", "many.txt"]],
  ["rows.npy", npy(rows), /words\.txt: line 2: one integer from 0/, ["--keys", "words.txt"]],
  ["rows.npy", npy(rows), /absent\.txt: cannot be opened/, ["--keys", "absent.txt"]],
];

const keyFiles = {
  "same.txt": "3\n1\n3\n4\n5\n6\n7\n8\n9\n10\n",
  "few.txt": "1\n2\n3\n",
  "many.txt": "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n",
  "words.txt": "1\ntwo\n3\n",
};

const badQueries = [
  ["nan.npy", npy(withNumber(NaN)), /row 7\): number 3 of 4 is NaN/],
  ["zero.npy", npy(withZeroRow()), /row 7\): a zero vector/],
  ["five.npy", npy(makeRows(2, 5, 1)), /rows of 5 numbers, but the index says 4/],
  ["five.jsonl", jsonl(makeRows(2, 5, 1)), /rows of 5 numbers, but the index says 4/],
  ["none.jsonl", "", /empty/],
];

export function run(suite) {
  suite.each("files for what follows", (minnow) => {
    for (const [name, text] of Object.entries(keyFiles)) minnow.write(name, text);
    minnow.write("asked.npy", npy(rows));
    minnow.succeed(["build", "asked.npy", "-o", "asked.index", "--metric", "cosine"]);
  });

  for (const [file, bytes, message, more = []] of bad)
    suite.each(`bad input: ${file} ${more.join(" ")}`, (minnow) => {
      minnow.write(file, bytes);
      const metric = more.includes("--metric") ? [] : ["--metric", "l2"];
      minnow.fail(["build", file, "-o", "bad.index", ...metric, ...more], 3, message);
    });

  for (const [file, bytes, message] of badQueries)
    suite.each(`bad queries: ${file}`, (minnow) => {
      minnow.write(file, bytes);
      minnow.fail(["search", "asked.index", file, "-k", "2", "--json"], 3, message);
    });

  suite.each("bad standard input is called that", (minnow) => {
    const words = ["build", "-", "--format", "jsonl", "-o", "bad.index", "--metric", "l2"];
    minnow.fail(words, 3, /^minnow: standard input: empty/, { stdin: "" });
    minnow.fail(words, 3, /^minnow: standard input: line 1, byte 1: /, { stdin: "x" });
  });

  suite.each("a failed build leaves the index that was there", (minnow) => {
    minnow.write("kept.index", "before");
    minnow.write("bad.npy", npy(withNumber(NaN)));
    minnow.fail(["build", "bad.npy", "-o", "kept.index", "--metric", "l2"], 3, /NaN/);
    if (minnow.read("kept.index").toString() !== "before")
      throw new Error("kept.index was changed");
    minnow.succeed(["build", "asked.npy", "-o", "kept.index", "--metric", "l2"]);
    minnow.succeed(["verify", "kept.index"]);
  });
}
