// SPDX-License-Identifier: Apache-2.0
// Packed for firmware: as an array in C, and as the image of a flash partition.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { rmSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { f32, makeRows } from "./vectors.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const [dimensions, count, k] = [24, 1500, 10];
const warnings = ["-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror"];

// Compilers that firmware may be built with, and how each takes the source.
const COMPILERS = [
  ["gcc", "-std=c11"],
  ["gcc", "-std=gnu17"],
  ["clang-22", "-std=c11"],
  ["g++", "-x", "c++", "-std=c++11"],
  ["clang++-22", "-x", "c++", "-std=c++11"],
  ["arm-none-eabi-gcc", "-std=c11", "-ffreestanding", "-mthumb", "-mcpu=cortex-m4"],
];

// Runs a program in the target's folder and returns what it says.
function call(minnow, program, words) {
  const { error, status, stdout, stderr } = spawnSync(program, words,
    { cwd: minnow.path("."), maxBuffer: 1 << 26 });
  if (error) throw error;
  assert.equal(status, 0, `${program} ${words.join(" ")}: ${stderr}`);
  return stdout.toString();
}

// The numbers of an array in C.
const bytesOf = (source) =>
  Buffer.from(source.slice(source.indexOf("= {") + 3, source.indexOf("};")).split(",")
    .filter((word) => word.trim()).map(Number));

export function run(suite) {
  suite.each("files for firmware", (minnow) => {
    minnow.write("passages.f32", f32(makeRows(count, dimensions, 107)));
    minnow.write("passages-ask.f32", f32(makeRows(25, dimensions, 109)));
    minnow.succeed(["build", "passages.f32", "--dimensions", String(dimensions), "--metric", "l2",
      "--spec", "hnsw8,bits4", "--ef-construction", "60", "-o", "passages-live.index"]);
    minnow.succeed(["pack", "passages-live.index", "-o", "passages.index"]);
  });

  suite.each("an array in C and an image answer as the index does", (minnow) => {
    const packed = minnow.read("passages.index");
    const pack = (from, ...words) => minnow.succeed(["pack", from, ...words]).stdout;
    const before = minnow.read("passages-live.index").length;
    const said = `${count} vectors, room for ${count}, packed, ${packed.length} bytes`;
    assert.equal(pack("passages-live.index", "-o", "passages.c", "--c-array", "passages_index",
      "--section", ".rodata.passages"),
    `passages.c: ${said} (${before} before), as passages_index, declared in passages.h\n`);
    const [source, header] = ["passages.c", "passages.h"].map((name) => minnow.read(name).toString());
    assert.ok(bytesOf(source).equals(packed));
    assert.match(header, /1500 vectors of 24 dimensions,\n \* l2, hnsw8,bits4, format \d/);

    // What is packed already is written as it is.
    pack("passages.index", "-o", "passages.c", "--c-array=passages_index", "--section=.rodata.passages");
    assert.equal(minnow.read("passages.c").toString(), source);
    assert.equal(minnow.read("passages.h").toString(), header);

    assert.equal(pack("passages-live.index", "-o", "passages.bin", "--size", "0x20000"),
      `passages.bin: ${said} (${before} before), then 0xff to 131072\n`);
    const image = minnow.read("passages.bin");
    assert.equal(image.length, 131072);
    assert.ok(image.subarray(0, packed.length).equals(packed));
    assert.ok(image.subarray(packed.length).every((byte) => byte === 0xff));
    assert.equal(minnow.succeed(["verify", "passages.bin"]).stdout,
      `passages.bin: sound: ${count} vectors, ${packed.length} bytes, then ${131072 - packed.length} of 0xff\n`);

    const ask = (name) => minnow.succeed(["search", name, "passages-ask.f32", "-k", String(k), "--json"]).stdout;
    const answers = ask("passages.index");
    assert.equal(answers.trim().split("\n").length, 25);
    assert.equal(ask("passages.bin"), answers);

    call(minnow, "gcc", ["-std=c11", ...warnings, "-O1", `-I${root}core`, "-I.", `${root}tests/command/c_array_search.c`,
      "passages.c", `${root}build/native/libminnow.a`, "-o", "c_array_search"]);
    assert.equal(call(minnow, "./c_array_search", ["passages-ask.f32", "passages.bin", String(k)]), answers + answers);
  });

  suite.each("the array compiles everywhere, aligned and in its section", (minnow) => {
    const bytes = minnow.read("passages.index").length;
    for (const [compiler, ...words] of COMPILERS) {
      call(minnow, compiler, [...words, ...warnings, "-c", "passages.c", "-o", "passages.o"]);
      const [, size, alignment] = call(minnow, "readelf", ["-SW", "passages.o"])
        .match(/ \.rodata\.passages +PROGBITS +\w+ \w+ (\w+) \w+ +A +\d+ +\d+ +(\d+)\n/) ?? [];
      assert.deepEqual([parseInt(size, 16), alignment], [bytes, "64"], compiler);
      const symbols = call(minnow, "nm", ["passages.o"]);
      for (const name of ["passages_index", "passages_index_bytes"])
        assert.match(symbols, new RegExp(` R ${name}$`, "m"), compiler);
    }
    minnow.succeed(["pack", "passages.index", "-o", "plain.cpp", "--c-array", "plain"]);
    const source = minnow.read("plain.cpp").toString();
    assert.ok(!source.includes("__attribute__"));
    assert.ok(bytesOf(source).equals(minnow.read("passages.index")));
    call(minnow, "g++", ["-std=c++11", ...warnings, "-c", "plain.cpp", "-o", "plain.o"]);
    assert.match(call(minnow, "nm", ["plain.o"]), / R plain$/m);
    for (const name of ["passages.o", "plain.o"]) rmSync(minnow.path(name));
  });

  suite.each("sizes and filling", (minnow) => {
    const packed = minnow.read("passages.index");
    const image = (...words) => {
      minnow.succeed(["pack", "passages.index", "-o", "sized.bin", ...words]);
      return minnow.read("sized.bin");
    };
    assert.ok(image("--size", String(packed.length)).equals(packed));
    for (const [fill, byte] of [["0", 0], ["0x5A", 0x5a], ["255", 255]]) {
      const filled = image("--size", "128KiB", "--fill", fill);
      assert.equal(filled.length, 131072);
      assert.ok(filled.subarray(packed.length).every((at) => at === byte), fill);
    }
    minnow.write("bad.block", Buffer.concat([packed, Buffer.from([255, 255, 254])]));
    minnow.fail(["verify", "bad.block"], 1, /3 bytes follow the index's \d+/);
  });

  suite.each("what no firmware can have", (minnow) => {
    const refused = (words, message, code = 2) =>
      minnow.fail(["pack", "passages.index", ...words], code, message);
    const source = ["-o", "x.c", "--c-array"];
    for (const name of ["", "1st", "a-b", "a\"", "a;", "größe", "a b"])
      refused([...source, name], /--c-array: `.*` cannot be a name in C; give letters/);
    for (const name of ["_x", "x__y"])
      refused([...source, name], /--c-array: `.*` is a name that C and C\+\+ reserve/);
    for (const name of ["int", "while", "class", "xor_eq", "and"])
      refused([...source, name], /--c-array: `.*` is a word of C or C\+\+/);
    for (const section of ["", "a\"b", ".ro data", "a\\b", "a\nb", ".x;"])
      refused([...source, "x", "--section", section], /--section: `[^]*` is not a section's name; give letters/);
    for (const out of ["x", "x.h", "x.c.txt", ".c", "a.c/x"])
      refused(["-o", out, "--c-array", "x"], /-o: `.*` is no C source's name.*ends in \.c/);
    refused(["-o", "-", "--c-array", "x"], /-o: /);
    refused(["-o", "absent/x.c", "--c-array", "x"], /absent\/x\.c\.tmp: cannot be written/, 6);
    refused(["-o", "x.index", "--section", ".x"], /--section: goes with --c-array/);
    refused([...source, "x", "--size", "1MB"], /--size: makes an image, --c-array a C source; give one/);
    refused(["-o", "x.bin", "--fill", "0"], /--fill: goes with --size/);
    for (const fill of ["256", "-1", "0x100", "0x", "ff", ""])
      refused(["-o", "x.bin", "--size", "1MB", `--fill=${fill}`], /--fill: `.*` is not a byte, 0 to 255/);
    for (const size of ["0", "0x", "0xg", "1 KB", "4 pages", "0x10000000000000000"])
      refused(["-o", "x.bin", "--size", size], /--size: `.*` is not a number of bytes/);
    const bytes = minnow.read("passages.index").length;
    refused(["-o", "x.bin", "--size", String(bytes - 1)],
      new RegExp(`--size: passages\\.index takes ${bytes} bytes packed, 1 more than that.*--budget ${bytes - 1}`));

    // Sealing anew would hide damage.
    const bad = Buffer.from(minnow.read("passages.index"));
    bad[bad.length >> 1] ^= 0x40;
    minnow.write("bad.block", bad);
    minnow.fail(["pack", "bad.block", "-o", "x.c", "--c-array", "x"], 4, /bad\.block: damaged/);
    minnow.fail(["pack", "bad.block", "-o", "x.bin", "--size", "1MB"], 4, /bad\.block: damaged/);
  });
}
