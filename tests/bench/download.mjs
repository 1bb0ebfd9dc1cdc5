// SPDX-License-Identifier: Apache-2.0
// What a page downloads to use a package: its entry and all that it imports,
// bundled and minified by Vite, each file compressed by brotli. Imports that
// only an engine without SIMD would make, or linking in threads, are left out.
import { createRequire } from "node:module";
import { brotliCompressSync, constants } from "node:zlib";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { root } from "./data.mjs";

const require = createRequire(join(root, "tests/package.json"));

export async function downloadBytes(entry, unused = /^(scalar|threads|parallel)/) {
  const { build } = await import(pathToFileURL(require.resolve("vite")).href);
  const { output } = await build({
    configFile: false,
    logLevel: "silent",
    build: {
      write: false,
      target: "esnext",
      minify: true,
      modulePreload: false,
      lib: { entry, formats: ["es"], fileName: "entry" },
    },
  }).then((built) => [built].flat()[0]);
  const sizes = output
    .filter((file) => !unused.test(file.name ?? file.fileName))
    .map((file) => brotliCompressSync(file.code ?? file.source, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length);
  return sizes.reduce((sum, size) => sum + size, 0);
}
