// SPDX-License-Identifier: Apache-2.0
// One of encode.mjs's threads: texts in, floats out.
import { parentPort } from "node:worker_threads";
import { nodeEncoder } from "./node-encoder.mjs";

const encoder = nodeEncoder();

parentPort.on("message", async (texts) => {
  const floats = await (await encoder).embed(texts);
  parentPort.postMessage(floats, [floats.buffer]);
});
