// SPDX-License-Identifier: Apache-2.0
// The helper itself: what every browser test takes for granted.
import assert from "node:assert/strict";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { BROWSERS, open, serve } from "./browsers.mjs";

// (module (func (export "f") (result i32) i32.const 42))
const WASM = Uint8Array.from(
  "0061736d010000000105016000017f03020100070501016600000a06010400412a0b".match(/../g),
  (byte) => parseInt(byte, 16),
);

let folder;
let site;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "minnow-browser-"));
  await writeFile(join(folder, "index.html"), "<!doctype html><title>here</title><h1>Minnow</h1>");
  await writeFile(join(folder, "f.wasm"), WASM);
  site = await serve({ "/": folder, "/other/": folder });
});
after(async () => {
  await site.close();
  await rm(folder, { recursive: true });
});

test("the server answers with types, isolation and 404", async () => {
  const page = await fetch(site.url);
  assert.equal(page.headers.get("content-type"), "text/html; charset=utf-8");
  assert.equal(page.headers.get("cross-origin-embedder-policy"), "require-corp");
  const wasm = await fetch(`${site.url}other/f.wasm`);
  assert.equal(wasm.headers.get("content-type"), "application/wasm");
  assert.deepEqual(new Uint8Array(await wasm.arrayBuffer()), WASM);
  assert.equal((await fetch(`${site.url}nothing`)).status, 404);
  assert.equal((await fetch(`${site.url}..%2f..%2fetc/passwd`)).status, 404);
});

for (const name of Object.keys(BROWSERS)) {
  test(`${name} runs a page with WebAssembly and tells its errors`, async () => {
    const browser = await open(name, site.url, { width: 640, height: 480 });
    try {
      const seen = await browser.evaluate(async (file) => {
        const { instance } = await WebAssembly.instantiateStreaming(fetch(file));
        return [document.title, crossOriginIsolated, innerWidth, instance.exports.f()];
      }, "f.wasm");
      assert.deepEqual(seen, ["here", true, 640, 42]);
      assert.deepEqual(browser.errors, []);
      await browser.evaluate(async () => {
        console.error("said so");
        setTimeout(() => { throw new Error("thrown so"); });
        await new Promise((done) => setTimeout(done, 200));
      });
      assert.match(browser.errors.join("\n"), /said so[^]*thrown so/);
      const picture = join(folder, `${name}.png`);
      await browser.screenshot(picture);
      assert.ok((await stat(picture)).size > 1000);
    } finally {
      await browser.close();
    }
  });
}

test("an unknown browser is refused", async () => {
  await assert.rejects(open("lynx", site.url), /chromium or firefox/);
});
