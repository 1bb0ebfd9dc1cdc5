// SPDX-License-Identifier: Apache-2.0
// Where everything that is made goes.
import { fileURLToPath } from "node:url";

const out = (path) => fileURLToPath(new URL(`../../../build/reverse-dictionary/${path}`, import.meta.url));

export const CACHE = out("vectors.cache");
export const PUBLIC = out("public"); // what the page fetches
export const INDEX = out("public/dictionary.minnow");
export const SITE = out("site"); // the page, built
export const SCREENSHOTS = fileURLToPath(new URL("../../../build/screenshots", import.meta.url));
