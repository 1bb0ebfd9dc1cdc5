// SPDX-License-Identifier: Apache-2.0
// node check.mjs: after build.mjs (5,000 definitions) and npm run page.
import { checkBuild } from "./check/build.mjs";
import { checkFinding } from "./check/finding.mjs";
import { checkPage } from "./check/page.mjs";
import { checkSlider } from "./check/slider.mjs";
import { checkTerminal } from "./check/terminal.mjs";

let passed = 0;
let failed = 0;

async function check(name, run) {
  try {
    await run();
    passed++;
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}

await checkBuild(check);
await checkTerminal(check);
await checkSlider(check);
await checkFinding(check);
await checkPage(check);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
