// SPDX-License-Identifier: Apache-2.0
// The built page in Chromium, as a user meets it.
import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Collection } from "minnow";
import { open, serve } from "../../../tests/browser/browsers.mjs";
import { lookUp } from "../lookup.js";
import { nodeEncoder } from "../steps/node-encoder.mjs";
import { INDEX, SCREENSHOTS, SITE } from "../steps/paths.mjs";

const QUESTION = "something that keeps the rain off";
const PHONE = { width: 360, height: 740 };
const DESKTOP = { width: 1280, height: 800 };
const axe = createRequire(import.meta.url).resolve("axe-core/axe.min.js");

export async function checkPage(check) {
  const site = await serve({ "/": SITE });
  const browser = await open("chromium", `${site.url}files.json`, DESKTOP);
  const { page } = browser;
  page.setDefaultTimeout(60_000);
  const requests = [];
  page.on("request", (request) => requests.push(request.url()));
  // Every state of the two progress bars, for the checks below.
  await page.addInitScript(() => {
    globalThis.seen = { load: [], index: [] };
    const watch = (name) => {
      const bar = document.getElementById(`${name}-bar`);
      const label = document.getElementById(`${name}-label`);
      new MutationObserver(() => {
        seen[name].push({ value: bar.value, max: bar.max, text: label.textContent });
      }).observe(bar.parentElement, { attributes: true, subtree: true, childList: true });
    };
    addEventListener("DOMContentLoaded", () => {
      for (const name of ["load", "index"]) watch(name);
    });
  });

  const ready = () => page.waitForSelector("html[data-ready]");
  const words = () => page.locator("#answers .word").allTextContents();
  const figure = (name) => page.textContent(`[data-figure=${name}]`);
  // The answers' first words, once the page has answered `text`.
  const ask = async (text) => {
    await page.fill("#query", text);
    await page.waitForSelector(`#answers[data-question=${JSON.stringify(text)}] .word`);
    return words();
  };
  const picture = (name) => page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
  const violations = async () => {
    if (!(await page.evaluate(() => "axe" in globalThis))) await page.addScriptTag({ path: axe });
    const found = await page.evaluate(async () => (await globalThis.axe.run()).violations);
    return found.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  };
  mkdirSync(SCREENSHOTS, { recursive: true });

  try {
    await check("page: loads with a progress bar that says how far it is", async () => {
      await page.goto(site.url);
      await ready();
      const { load } = await page.evaluate(() => globalThis.seen);
      const values = load.map(({ value }) => value);
      assert.ok(values.length > 5, `${values.length} steps`);
      assert.deepEqual(values, values.toSorted((a, b) => a - b));
      assert.equal(values.at(-1), load.at(-1).max);
      assert.ok(load.some(({ text }) => /: [\d.]+ MB of 3\d\.\d MB$/.test(text)));
      assert.equal(await page.isVisible("#load-bar"), false);
      assert.match(await page.textContent("#offline"), /3\d\.\d MB, loaded in .* works without a network/);
    });

    await check("page: finds the umbrella, as typed", async () => {
      await page.locator("#query").pressSequentially(QUESTION, { delay: 20 });
      const isThere = () => document.getElementById("answers").textContent.includes("umbrella");
      await page.waitForFunction(isThere);
      assert.equal((await words()).length, 10);
      assert.ok((await words()).slice(0, 5).includes("umbrella"));
      assert.match(await page.textContent("#left-out"), /: rain, raining, /);
      assert.equal(new URL(page.url()).hash, "#q=something+that+keeps+the+rain+off");
      await page.waitForFunction(() => /^10 definitions\. Closest: /.test(announce.textContent));
    });

    await check("page: answers as the terminal does", async () => {
      const collection = await Collection.open(readFileSync(INDEX));
      const encoder = await nodeEncoder();
      for (const text of [QUESTION, "a place to keep money", "very, very cold"]) {
        const { answers } = await lookUp(encoder, collection, text, { limit: 10 });
        assert.deepEqual(await ask(text), answers.map(({ document }) => document.words[0]));
        const scores = await page.locator("#answers .score").allTextContents();
        scores.forEach((score, i) => {
          const difference = Math.abs(Number(score.replace("score ", "")) - answers[i].score);
          assert.ok(difference <= 0.0051, `${difference}`);
        });
      }
    });

    await check("page: shows what it took", async () => {
      await ask(QUESTION);
      assert.equal(await figure("count"), "5,000");
      assert.match(await figure("blockBytes"), /^3\.\d MB$/);
      assert.equal(await figure("spec"), "hnsw16,bits8");
      assert.equal(await figure("codeBytes"), "520");
      assert.match(await figure("encoding"), /^[\d.]+ m?s$/);
      assert.match(await figure("searching"), /^[\d.]+ m?s$/);
      const distances = await figure("distances");
      assert.match(distances, /^(1,)?\d{3}$/);
      assert.equal(await figure("refined"), "120");
      assert.equal(await figure("simd"), "SIMD");
      for (const name of ["encoding", "searching"]) console.log(`        ${name}: ${await figure(name)}`);
    });

    // Every figure of the two forms is there, the answers' cost is the same, and
    // packing makes the links smaller by more than half.
    const formFigures = async () => {
      await page.waitForFunction(() => !document.getElementById("forms").textContent.includes("–"));
      const [size, each, links, time, distances] = await page.evaluate(() =>
        ["blockBytes", "textBytes", "linkBytes", "time", "distances"].map((field) =>
          ["packed", "live"].map((form) =>
            document.querySelector(`#forms [data-field=${field}][data-form=${form}]`).textContent)));
      for (const [packed, live] of [size, each, links]) assert.ok(parseFloat(packed) < parseFloat(live), `${packed}, ${live}`);
      assert.ok(Number(links[0]) < Number(links[1]) / 2, `${links}`);
      assert.ok(time.every((text) => /^[\d.]+ ms$/.test(text)), `${time}`);
      assert.equal(distances[0], distances[1]);
      assert.equal(distances[0], await figure("distances"));
      return { size, each, links, time };
    };
    await check("page: shows what packing is worth", async () => {
      await ask("a place to keep money");
      await ask(QUESTION);
      const { size, each, links, time } = await formFigures();
      assert.match(size[0], /^3\.\d MB$/);
      // nothing but the links differs
      assert.ok(Math.abs((each[1] - each[0]) / (links[1] - links[0]) - 1) < 0.05, `${each}; ${links}`);
      console.log(`        packed and live: ${size} in all, ${each} bytes a text, ${links} of links, ${time}`);
    });

    await check("page: works by keyboard alone", async () => {
      const focused = () => page.evaluate(() => document.activeElement.id || document.activeElement.className);
      const inAnswer = (n) => page.evaluate((n) =>
        document.activeElement === document.querySelectorAll("#answers .answer")[n], n);
      await page.evaluate(() => document.activeElement.blur());
      await page.keyboard.press("/");
      assert.equal(await focused(), "query");
      assert.equal(await page.inputValue("#query"), QUESTION);
      await page.keyboard.press("ArrowDown");
      assert.ok(await inAnswer(0));
      await page.keyboard.press("ArrowDown");
      assert.ok(await inAnswer(1));
      assert.ok(await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle === "solid"));
      await page.keyboard.press("End");
      assert.ok(await inAnswer(9));
      await page.keyboard.press("Home");
      await page.keyboard.press("ArrowUp");
      assert.equal(await focused(), "query");
      await page.keyboard.press("ArrowDown");
      const id = await page.locator("#answers li").first().getAttribute("data-id");
      await page.keyboard.press("Enter");
      await page.waitForSelector(`#answers[data-like="${id}"] .word`);
      assert.ok(await inAnswer(0));
      await page.keyboard.press("ArrowDown");
      await page.keyboard.press("Tab"); // from an answer to its button
      assert.equal(await focused(), "delete");
      await page.keyboard.press("ArrowUp");
      assert.ok(await inAnswer(0));
      await page.keyboard.press("Escape");
      assert.equal(await focused(), "query");
      await page.evaluate(() => history.back());
      await page.waitForSelector('#answers[data-like=""] .word');
      assert.equal(await page.inputValue("#query"), QUESTION);
    });

    await check("page: nothing for axe to complain about, light and dark", async () => {
      await ask("a doctor who looks after teeth");
      await page.evaluate(() => document.activeElement.blur());
      assert.deepEqual(await violations(), []);
      await picture("reverse-dictionary-light");
      await page.emulateMedia({ colorScheme: "dark" });
      assert.deepEqual(await violations(), []);
      await picture("reverse-dictionary-dark");
      await page.emulateMedia({ colorScheme: "light" });
    });

    await check("page: fits a phone", async () => {
      await page.setViewportSize(PHONE);
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360));
      // the slider stands above the answers, and beside them where there is room
      const order = (expected) => page.waitForFunction((expected) =>
        [...document.querySelectorAll("#query, #bits, #answers")].map(({ id }) => id).join() === expected, expected);
      await order("query,bits,answers");
      assert.deepEqual(await violations(), []);
      assert.equal(await page.isVisible("#bits"), false);
      assert.ok(await page.locator("#answers .word").first().isVisible());
      await picture("reverse-dictionary-phone");
      await page.click("#precision summary");
      assert.ok(await page.isVisible("#bits"));
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360));
      assert.deepEqual(await violations(), []);
      await picture("reverse-dictionary-phone-precision");
      await page.click("#precision summary");
      await page.locator(".delete").nth(1).click();
      await page.waitForSelector("#deleted.shown");
      await page.locator(".answer").first().click();
      await page.waitForSelector('#answers:not([data-like=""]) .word');
      assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= 360));
      const small = await page.evaluate(() =>
        [...document.querySelectorAll("#answers button, #kinds button, #deleted button, #back")].filter((button) => {
          const { width, height } = button.getBoundingClientRect();
          return width < 24 || height < 24;
        }).map(({ outerHTML }) => outerHTML));
      assert.deepEqual(small, []);
      assert.deepEqual(await violations(), []);
      await picture("reverse-dictionary-phone-delete");
      await page.click("#deleted .undo");
      await page.waitForSelector("#deleted:not(.shown)", { state: "attached" });
      await page.click("#back");
      await page.setViewportSize(DESKTOP);
      await order("query,answers,bits");
    });

    await check("page: a line of one's own is indexed and found", async () => {
      await page.click("#add");
      await page.waitForFunction(() => added.textContent !== "");
      assert.equal(await page.textContent("#added"), "Added 5. The index holds 5,005 texts now.");
      const own = '[data-kind="your line"]';
      const pressed = () => page.getAttribute(own, "aria-pressed");
      assert.equal(await pressed(), "true");
      assert.equal((await ask("travelling abroad"))[0], "Renew the passport in January");
      const key = "Spare key under the flower pot";
      assert.equal((await ask("how to open the front door"))[0], key);
      assert.equal(await figure("count"), "5,005");
      assert.equal(await figure("distances"), "5");
      await formFigures();
      await page.evaluate(() => scrollTo(0, 0));
      await picture("reverse-dictionary-own-lines");
      await page.click(own);
      assert.equal(await pressed(), "false");
      assert.ok((await ask("where did we hide the key")).slice(0, 10).includes(key));
      await page.click("#add");
      await page.waitForFunction(() => /already/.test(added.textContent));
    });

    await check("page: indexes many lines with a progress bar", async () => {
      const lines = Array.from({ length: 40 }, (_, i) => `Box ${i} in the attic holds old letters`);
      await page.fill("#lines", lines.join("\n"));
      await page.click("#add");
      await page.waitForFunction(() => added.textContent.startsWith("Added 40"));
      const { index } = await page.evaluate(() => globalThis.seen);
      assert.ok(index.some(({ text, value }) => text === "Indexing: 16 of 40" && value === 16));
      assert.equal(await figure("count"), "5,045");
    });

    await check("page: keeps the question in its address", async () => {
      await page.goto(`${site.url}#q=a+doctor+who+looks+after+teeth`);
      await page.reload();
      await page.waitForSelector("#answers .word");
      assert.equal((await words())[0], "dentist");
    });

    await check("page: says in words what went wrong", async () => {
      await page.route("**/dictionary.minnow", (route) => route.fulfill({ status: 404 }));
      await page.reload();
      await page.waitForSelector("#error:visible");
      assert.match(await page.textContent("#error"), /^dictionary\.minnow could not be loaded \(the server answered 404\)/);
      await page.unroute("**/dictionary.minnow");
      await page.route("**/dictionary.minnow", (route) => route.fulfill({ body: "not an index" }));
      await page.reload();
      await page.waitForSelector("#error:visible");
      assert.match(await page.textContent("#error"), /minnow/i);
      await page.unroute("**/dictionary.minnow");
    });

    await check("page: answers with the server gone, and asked nobody else", async () => {
      await page.goto(site.url);
      await page.reload();
      await ready();
      await site.close();
      await page.context().setOffline(true);
      assert.ok((await ask(QUESTION)).slice(0, 5).includes("umbrella"));
      assert.ok(requests.some((url) => url.endsWith("/dictionary.minnow")), "requests of the worker are seen");
      const others = requests.filter((url) => !url.startsWith(site.url) && !url.startsWith("data:"));
      assert.deepEqual(others, []);
    });

    await check("page: no error in the console", () => {
      const unexpected = browser.errors.filter((line) => !/404/.test(line));
      assert.deepEqual(unexpected, []);
    });
  } finally {
    await browser.close();
    await site.close().catch(() => {});
  }
}
