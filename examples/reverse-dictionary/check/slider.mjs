// SPDX-License-Identifier: Apache-2.0
// The slider for precision, moved by keyboard in Chromium and in Firefox.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Collection } from "minnow";
import { BROWSERS, open, serve } from "../../../tests/browser/browsers.mjs";
import { MORE, REFINE_K, lookUp } from "../lookup.js";
import { bytes } from "../page/format.js";
import { ALL, DEFAULT, STOPS } from "../precision.js";
import { nodeEncoder } from "../steps/node-encoder.mjs";
import { INDEX, SITE } from "../steps/paths.mjs";

const QUESTION = "to move through water with arms and legs";
const COUNT = 5000;
// What bits8 of 512 dimensions keeps: a word and the first plane together, a
// word and the other seven planes apart (core/FORMAT.md).
const READ = { 1: 4 + 64, 2: 4 + 64 + 4 + 64, 4: 4 + 64 + 4 + 3 * 64, 8: 520 };
const REFINED = REFINE_K * (10 + MORE);

export async function checkSlider(check) {
  const collection = await Collection.open(readFileSync(INDEX));
  const encoder = await nodeEncoder();
  const byNode = [];
  for (const { planes } of STOPS) {
    byNode.push(await lookUp(encoder, collection, QUESTION, { limit: 10, planes }));
  }
  const words = byNode.map(({ answers }) => answers.map(({ document }) => document.words[0]));
  const read = byNode.map(({ bytes }) => bytes);

  await check("slider: a search reads what its stop says, of less than a third of the texts", () => {
    for (const [i, { distances, refined }] of byNode.entries()) {
      assert.equal(read[i], distances * READ[STOPS[i].planes || 1] + refined * READ[8]);
      assert.ok(distances < COUNT / 3, `${distances} distances`);
    }
    assert.deepEqual(byNode.map((result) => result.planes), [1, 2, 4, 8, 1]);
    assert.deepEqual(byNode.map((result) => result.refined), [0, 0, 0, 0, REFINED]);
  });

  await check("slider: few bits miss answers, 1 → 8 hardly any", () => {
    const same = words.map((list) => list.filter((word) => words[ALL].includes(word)).length);
    assert.ok(same[0] < 10 && same[0] >= 5, `${same}`);
    assert.ok(same[0] <= same[2] && same[2] >= 8, `${same}`);
    const inPlace = words[DEFAULT].filter((word, i) => word === words[ALL][i]).length;
    assert.ok(inPlace >= 9, `${inPlace} of 10 in their places`);
  });

  const site = await serve({ "/": SITE });
  for (const name of Object.keys(BROWSERS)) {
    await check(`slider: in ${name}`, async () => {
      const browser = await open(name, site.url);
      try {
        await inBrowser(browser, { words, read });
        assert.deepEqual(browser.errors, []);
      } finally {
        await browser.close();
      }
    });
  }
  await site.close();
}

async function inBrowser({ page, evaluate }, { words, read }) {
  const state = () => evaluate(() => {
    const texts = (selector) => [...document.querySelectorAll(selector)].map((node) => node.textContent);
    const marked = document.querySelectorAll("#answers li:has(.strange) .word");
    return {
      words: texts("#answers .word"),
      strange: [...marked].map((node) => node.textContent),
      chosen: texts("#stops .chosen"),
      bytes: texts("#stops [data-field=bytes]"),
      same: texts("#stops [data-field=same]").map(Number),
      time: texts("#stops [data-field=time]"),
      note: document.getElementById("bits-note").textContent,
      encoding: document.querySelector("[data-figure=encoding]").textContent,
      spoken: document.getElementById("bits").getAttribute("aria-valuetext"),
    };
  });
  const until = async (selector) => {
    await page.waitForSelector(selector, { timeout: 60_000 });
    return state();
  };

  await until("html[data-ready]");
  await evaluate((question) => {
    query.value = question;
    query.dispatchEvent(new Event("input", { bubbles: true }));
  }, QUESTION);
  const first = await until(`#answers[data-stop="${DEFAULT}"] .word`);
  assert.equal(first.spoken, "1, then 8");
  assert.match(first.note, /all 8 of the 120 nearest/);

  // Left through all stops, and by End to the last again.
  await page.focus("#bits");
  for (const [key, stop] of [["ArrowLeft", 3], ["ArrowLeft", 2], ["ArrowLeft", 1], ["ArrowLeft", 0], ["End", 4]]) {
    await page.keyboard.press(key);
    const now = await until(`#answers[data-stop="${stop}"] .word`);
    assert.deepEqual(now.words, words[stop]);
    assert.deepEqual(now.strange, words[stop].filter((word) => !words[ALL].includes(word)));
    assert.deepEqual(now.bytes, read.map(bytes));
    assert.equal(now.same[stop], 10 - now.strange.length);
    assert.equal(now.chosen[0], STOPS[stop].name);
    assert.equal(now.chosen[1], bytes(read[stop]));
    assert.equal(now.encoding, first.encoding, "the question is not encoded again");
    const missed = words[ALL].filter((word) => !now.words.includes(word));
    for (const word of missed) assert.ok(now.note.includes(word), now.note);
  }

  await evaluate(async () => {
    while (document.getElementById("stops").textContent.includes("–")) {
      await new Promise((done) => setTimeout(done, 100));
    }
  });
  const timed = await state();
  assert.ok(timed.time.every((time) => /^[\d.]+$/.test(time)), `${timed.time}`);
  console.log(`        ${timed.bytes.map((read, i) => `${STOPS[i].name}: ${read}, ${timed.time[i]} ms`).join("; ")}`);
}
