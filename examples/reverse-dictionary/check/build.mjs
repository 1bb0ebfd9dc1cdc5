// SPDX-License-Identifier: Apache-2.0
// The steps that make the index.
import assert from "node:assert/strict";
import { appendFileSync, mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Cache } from "../steps/cache.mjs";
import { definitions } from "../steps/wordnet.mjs";
import { definitionParts, sentence, wordsUsed } from "../texts.js";
import { ALL, DEFAULT } from "../precision.js";
import { describe, exactHits, indexHits } from "./quality.mjs";

export async function checkBuild(check) {
  const all = definitions();

  await check("WordNet: every definition, words and gloss apart from examples", () => {
    assert.equal(all.length, 117_791);
    assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
    const umbrella = all.find(({ words }) => words.includes("umbrella"));
    assert.equal(umbrella.pos, "noun");
    assert.equal(umbrella.gloss, "a lightweight handheld collapsible canopy");
    const swim = all.find(({ words, pos }) => pos === "verb" && words.includes("swim"));
    assert.equal(swim.gloss, "travel through water");
    assert.equal(swim.example, "We had to swim for 20 minutes to reach the shore");
    assert.ok(all.every(({ words, gloss }) => words.length > 0 && gloss && !gloss.includes('"')));
  });

  await check("texts: sentences, articles, words of the question", () => {
    assert.equal(sentence(" keeps the rain off"), "Keeps the rain off.");
    assert.equal(sentence("Really?"), "Really?");
    const texts = definitionParts({ words: ["umbrella", "Paris"], pos: "noun", gloss: "a thing" });
    assert.deepEqual(texts.map(({ text }) => text), ["An umbrella. Paris.", "A thing."]);
    const used = wordsUsed("something that keeps the rain off");
    assert.equal(used({ words: ["drizzle", "raining"] }), "raining");
    assert.equal(used({ words: ["umbrella", "rain cats and dogs"] }), undefined);
  });

  await check("cache: survives a torn and a damaged end", () => {
    const folder = mkdtempSync(join(tmpdir(), "minnow-cache-"));
    const path = join(folder, "vectors.cache");
    const open = (model = "m") => new Cache(path, { model, dimensions: 4 });
    const vector = (x) => Float32Array.of(x, x + 1, x + 2, x + 3);
    open().add([["one", vector(1)], ["two", vector(2)]]);
    const whole = statSync(path).size;
    open().add([["three", vector(3)]]);
    truncateSync(path, whole + 20);
    assert.deepEqual(open().get("two"), vector(2));
    assert.equal(open().get("three"), undefined);
    assert.equal(statSync(path).size, whole);
    appendFileSync(path, Buffer.alloc(whole));
    open().add([["three", vector(3)]]);
    assert.deepEqual(open().get("three"), vector(3));
    assert.equal(open("other").get("one"), undefined);
    rmSync(folder, { recursive: true });
  });

  // The floors are a little below what was measured: 24 and 39 of 45.
  await check("quality: descriptions find their words", async () => {
    const exact = await exactHits(all.slice(0, 5000));
    const stops = await indexHits();
    console.log(`        ${describe("exact, floats", exact)}`);
    for (const stop of stops) console.log(`        ${describe(`index, planes ${stop.name}`, stop)}`);
    assert.ok(exact.first >= 20 && exact.ten >= 36);
    for (const index of [stops[ALL], stops[DEFAULT]]) {
      assert.ok(Math.abs(exact.first - index.first) <= 2 && Math.abs(exact.ten - index.ten) <= 2);
      assert.ok(index.placeOf("umbrella") >= 1 && index.placeOf("umbrella") <= 5);
      assert.ok(index.same >= 9.8, `${index.same}`);
    }
    const [one, two, four] = stops.map(({ same }) => same);
    assert.ok(one >= 6.5 && one < two && two < four && four < 10, `${[one, two, four]}`);
  });
}
