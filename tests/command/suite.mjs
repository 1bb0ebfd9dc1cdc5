// SPDX-License-Identifier: Apache-2.0
// Targets, running the command on them, and counting.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync,
  writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execPath, exit } from "node:process";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

function target(name) {
  const file = join(root, "build", name,
    name.startsWith("wasi") ? "minnow.wasm" : "minnow");
  if (!existsSync(file)) {
    console.error(`${file} is missing; run: cmake --preset ${name} && ` +
      `cmake --build --preset ${name}`);
    exit(1);
  }
  return {
    name,
    isWasi: name.startsWith("wasi"),
    isSanitized: name === "sanitize",
    command: name.startsWith("wasi")
      ? [execPath, "--no-warnings", join(root, "tests/wasi.mjs"), file]
      : [file],
    folder: join(root, "build/command-test", name),
    transcript: [],
  };
}

// What a shell would need to read `words` back.
export function shellQuoted(words) {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
}

export class Suite {
  passed = 0;
  failed = 0;

  constructor(names) {
    this.targets = names.map(target);
    for (const { folder } of this.targets) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder, { recursive: true });
    }
  }

  count(name, test) {
    try {
      test();
      this.passed++;
    } catch (error) {
      this.failed++;
      console.log(`FAILED ${name}\n  ${error.message.replaceAll("\n", "\n  ")}`);
    }
  }

  // Runs `test` once for each target, with a runner bound to that target.
  each(name, test, { targets = this.targets } = {}) {
    for (const target of targets)
      this.count(`${target.name}: ${name}`, () => test(new Runner(target)));
  }

  // Every target wrote the same files and said the same.
  compareTargets() {
    const [first, ...others] = this.targets;
    for (const other of others) {
      this.count(`${other.name} and ${first.name} write the same files`, () => {
        const files = readdirSync(first.folder).sort();
        assert.ok(files.filter((f) => f.endsWith(".index")).length >= 10,
          "at least ten indexes are compared");
        for (const file of files.filter((f) => f.endsWith(".index")))
          assert.equal(hashOf(join(other.folder, file)),
            hashOf(join(first.folder, file)), file);
      });
      this.count(`${other.name} and ${first.name} say the same`, () => {
        assert.ok(first.transcript.length >= 50);
        assert.equal(other.transcript.length, first.transcript.length);
        first.transcript.forEach((said, i) =>
          assert.deepEqual(other.transcript[i], said));
      });
    }
  }

  finish() {
    console.log(`${this.passed} passed, ${this.failed} failed`);
    return this.failed === 0 && this.passed > 0 ? 0 : 1;
  }
}

function hashOf(path) {
  return existsSync(path)
    ? createHash("sha256").update(readFileSync(path)).digest("hex")
    : "missing";
}

// One target in its folder; file names are relative to that.
export class Runner {
  constructor(target) {
    this.target = target;
  }

  path(name) {
    return resolve(this.target.folder, name);
  }

  write(name, bytes) {
    writeFileSync(this.path(name), bytes);
  }

  read(name) {
    return readFileSync(this.path(name));
  }

  has(name) {
    return existsSync(this.path(name));
  }

  // Runs the command. `wrap` turns its words into those of another program.
  // What it says is compared between targets, unless `compare` is false.
  run(words, { stdin = "", wrap = (w) => w, compare = true } = {}) {
    const [program, ...rest] = wrap([...this.target.command, ...words]);
    const result = spawnSync(program, rest, {
      cwd: this.target.folder, input: stdin, maxBuffer: 1 << 28,
    });
    if (result.error) throw result.error;
    const said = {
      code: result.status,
      stdout: result.stdout.toString(),
      stderr: result.stderr.toString(),
    };
    if (compare) this.target.transcript.push({ words, ...said });
    return said;
  }

  succeed(words, options) {
    const said = this.run(words, options);
    assert.equal(said.code, 0, `minnow ${words.join(" ")}: ${said.stderr}`);
    return said;
  }

  // Ends with `code`, says something that matches, and leaves no index behind.
  fail(words, code, message, options) {
    const before = readdirSync(this.target.folder).sort();
    const said = this.run(words, options);
    const what = `minnow ${words.join(" ")}`;
    assert.equal(said.code, code, `${what}: ${said.stderr}`);
    assert.match(said.stderr, message, what);
    assert.match(said.stderr, /^minnow: /, what);
    assert.deepEqual(readdirSync(this.target.folder).sort(), before,
      `${what}: the same files as before`);
    return said;
  }
}
