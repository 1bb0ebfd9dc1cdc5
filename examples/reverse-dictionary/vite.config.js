// SPDX-License-Identifier: Apache-2.0
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { PUBLIC, SITE } from "./steps/paths.mjs";

export default defineConfig({
  root: fileURLToPath(new URL("page", import.meta.url)),
  base: "./", // the site may be put into any folder
  publicDir: PUBLIC, // the index and the encoder, copied as they are
  build: { outDir: SITE, emptyOutDir: true, target: "es2022", chunkSizeWarningLimit: 2000 },
  worker: { format: "es" },
});
