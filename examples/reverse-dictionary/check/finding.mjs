// SPDX-License-Identifier: Apache-2.0
// Filters, more like this, how it was found, delete and undo, in Chromium and in
// Firefox: the page answers as the package does in Node with the same changes.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Collection } from "minnow";
import { BROWSERS, open, serve } from "../../../tests/browser/browsers.mjs";
import { answer, moreLike } from "../lookup.js";
import { PLANS, REASONS } from "../page/explain.js";
import { bytes, number } from "../page/format.js";
import { nodeEncoder } from "../steps/node-encoder.mjs";
import { INDEX, SCREENSHOTS, SITE } from "../steps/paths.mjs";
import { OWN, PARTS, partsOf, sentence } from "../texts.js";

const QUESTION = "something that keeps the rain off";
const COUNT = 5000;
const COUNTS = { noun: 3030, verb: 618, adjective: 1149, adverb: 203 };
const TAKEN = 12; // more than are shown
const SIZE = { width: 1280, height: 1600 };

export async function checkFinding(check) {
  const packed = await Collection.open(readFileSync(INDEX));
  const encoder = await nodeEncoder();
  const vector = await encoder.embed([sentence(QUESTION)]);
  const ids = ({ answers }) => answers.map(({ id }) => id);
  const node = {
    packed,
    ids,
    find: (collection, options) => answer(collection, QUESTION, vector, { limit: 10, ...options }),
  };

  await check("finding: every kind has its ten, whatever the plan", () => {
    assert.equal(PARTS.reduce((sum, part) => sum + COUNTS[part], 0), COUNT);
    for (const part of PARTS) {
      const where = { pos: [part] };
      const exact = node.find(packed, { where, plan: "scan", planes: 8 });
      for (const plan of ["auto", "scan", "walk", "two-hop", "post"]) {
        const result = node.find(packed, { where, plan });
        assert.equal(result.matches, COUNTS[part]);
        assert.equal(result.answers.length, 10);
        assert.ok(result.answers.every(({ document }) => document.pos === part));
        const same = ids(result).filter((id) => ids(exact).includes(id)).length;
        assert.ok(same >= 9, `${part}, ${plan}: ${same} of 10`);
      }
    }
  });

  await check("finding: what is taken back is as near as it was", async () => {
    const live = await packed.thaw();
    const before = node.find(live).answers;
    const [{ id, document }] = before;
    live.delete(id);
    assert.ok(!ids(node.find(live)).includes(id));
    assert.equal(node.find(live).answers.length, 10);
    const parts = partsOf(id, document);
    const floats = await encoder.embed(parts.map(({ text }) => text));
    const sum = Float32Array.from({ length: 512 }, (_, i) =>
      parts.reduce((sum, { weight }, part) => sum + weight * floats[512 * part + i], 0));
    live.upsert({ ...document, id, vector: sum });
    const after = node.find(live).answers;
    assert.deepEqual(after.map(({ document }) => document), before.map(({ document }) => document));
    after.forEach(({ score }, i) => assert.ok(Math.abs(score - before[i].score) < 0.001));
  });

  const site = await serve({ "/": SITE });
  for (const name of Object.keys(BROWSERS)) {
    const browser = await open(name, site.url, SIZE);
    try {
      const user = driver(browser);
      await user.until("html[data-ready]");
      await user.type(QUESTION);
      await check(`finding: kinds, in ${name}`, () => checkKinds(user, node));
      await check(`finding: plans, in ${name}`, () => checkPlans(user, node));
      await check(`finding: more like this, in ${name}`, () => checkLike(user, node));
      await check(`finding: delete and undo, in ${name}`, () => checkDelete(user, node));
      if (name === "chromium") await browser.screenshot(join(SCREENSHOTS, "reverse-dictionary-finding.png"));
      await check(`finding: no error in the console, in ${name}`, () => assert.deepEqual(browser.errors, []));
    } finally {
      await browser.close();
    }
  }
  await site.close();
}

// --- A user ---------------------------------------------------------------------

// What both browsers' drivers can do.
function driver({ page, evaluate }) {
  // an empty list is there, but for Playwright not visible
  const until = (selector) => page.waitForSelector(selector, { state: "attached", timeout: 60_000 });
  // Until the answers are those to such a question; its fields are their data-*.
  const answered = async (asked) => {
    await until(`#answers${Object.entries(asked).map(([name, value]) => `[data-${name}="${value}"]`).join("")}`);
    return state();
  };
  const state = () => evaluate(() => {
    const all = (selector) => [...document.querySelectorAll(selector)];
    const figures = all("[data-figure]").map((node) => [node.dataset.figure, node.textContent]);
    const place = (id) => document.getElementById(id).getBoundingClientRect().top + scrollY;
    return {
      ids: all("#answers li").map((node) => node.dataset.id),
      pos: [...new Set(all("#answers .pos").map((node) => node.textContent))],
      about: document.getElementById("about").textContent,
      counts: all("#kinds .count").map((node) => node.textContent),
      pressed: all('#kinds [aria-pressed="true"]').map((node) => node.dataset.kind),
      figures: Object.fromEntries(figures),
      focus: all("#answers button, #query").indexOf(document.activeElement),
      focused: document.activeElement.className || document.activeElement.id,
      toast: document.querySelector("#deleted.shown")?.querySelector("p").textContent,
      places: ["answers", "precision", "packing", "figures"].map(place),
    };
  });
  return {
    until,
    answered,
    state,
    evaluate,
    async press(selector, key, nth = 0) {
      await evaluate(([selector, nth]) => document.querySelectorAll(selector)[nth].focus(), [selector, nth]);
      await page.keyboard.press(key);
    },
    async control(key) {
      await page.keyboard.down("Control");
      await page.keyboard.press(key);
      await page.keyboard.up("Control");
    },
    async type(text) {
      await evaluate((text) => {
        query.value = text;
        query.dispatchEvent(new Event("input", { bubbles: true }));
      }, text);
      return answered({ question: text });
    },
  };
}

const yesNo = (value) => (value ? "yes" : "no");

// The panel says what the package says of the same search.
function sameFigures({ figures }, result) {
  assert.deepEqual(
    {
      plan: figures.plan, reason: figures.reason, matches: figures.matches, distances: figures.distances,
      planes: figures.planes, refined: figures.refined, bytes: figures.bytes, refineBytes: figures.refineBytes,
      hops: figures.hops, exact: figures.exact, fellBack: figures.fellBack, cut: figures.cut, hits: figures.hits,
    },
    {
      plan: PLANS[result.plan], reason: REASONS[result.reason],
      matches: `${number(result.matches)} of ${number(COUNT)}`, distances: number(result.distances),
      planes: "1 bit", refined: number(result.refined), bytes: bytes(result.bytes), refineBytes: bytes(result.refineBytes),
      hops: number(result.hops), exact: yesNo(result.exact), fellBack: yesNo(result.fellBack),
      cut: "no", hits: "10",
    },
  );
}

// --- Checks ---------------------------------------------------------------------

async function checkKinds(user, { packed, ids, find }) {
  const all = await user.answered({ question: QUESTION, kinds: "", form: "packed" });
  assert.deepEqual(all.counts, [...PARTS.map((part) => number(COUNTS[part])), "0"]);
  assert.equal(all.about, "10 of 5,000 texts, closest first");
  sameFigures(all, find(packed));
  assert.equal(all.figures.plan, "walk the graph");
  assert.equal(all.figures.reason, "there is no filter");
  assert.ok(await user.evaluate((own) => document.querySelector(`[data-kind="${own}"]`).disabled, OWN));

  for (const part of PARTS) {
    await user.press(`[data-kind=${part}]`, " ");
    const now = await user.answered({ kinds: part, stop: 4 });
    assert.deepEqual(now.pressed, [part]);
    assert.deepEqual(now.pos, [part]);
    assert.deepEqual(now.ids, ids(find(packed, { where: { pos: [part] } })));
    assert.equal(now.about, `10 of ${number(COUNTS[part])} ${part}s, closest first`);
    assert.deepEqual(now.places, all.places, "nothing moves");
    await user.press(`[data-kind=${part}]`, "Enter");
    await user.answered({ kinds: "" });
  }

  await user.press("[data-kind=adverb]", " ");
  const few = await user.answered({ kinds: "adverb" });
  sameFigures(few, find(packed, { where: { pos: "adverb" } }));
  assert.equal(few.figures.plan, "compare all that match");
  assert.equal(few.figures.exact, "yes");
  await user.press("[data-kind=noun]", " ");
  const both = await user.answered({ kinds: "noun,adverb" });
  assert.deepEqual(both.pressed, ["noun", "adverb"]);
  assert.equal(both.about, "10 of 3,233 nouns and adverbs, closest first");
  const expected = find(packed, { where: { pos: ["noun", "adverb"] } });
  assert.deepEqual(both.ids, ids(expected));
  sameFigures(both, expected);
  await user.press("[data-kind=noun]", " ");
  await user.press("[data-kind=adverb]", " ");
  const again = await user.answered({ kinds: "" });
  assert.deepEqual(again.ids, all.ids);
}

async function checkPlans(user, { packed, find, ids }) {
  await user.press("[data-kind=verb]", " ");
  const { places } = await user.answered({ kinds: "verb" });
  for (const plan of [...Object.keys(PLANS), "auto"]) {
    await user.evaluate((value) => {
      const select = document.getElementById("plan");
      select.value = value;
      select.dispatchEvent(new Event("change"));
    }, plan);
    const now = await user.answered({ kinds: "verb", plan });
    const expected = find(packed, { where: { pos: "verb" }, plan });
    sameFigures(now, expected);
    if (plan !== "auto") assert.deepEqual([expected.plan, expected.reason], [plan, "forced"]);
    assert.deepEqual(now.ids, ids(expected));
    assert.deepEqual(now.places, places, "nothing moves");
  }
  await user.press("[data-kind=verb]", " ");
  await user.answered({ kinds: "" });
}

async function checkLike(user, { packed, ids }) {
  const before = await user.state();
  const of = before.ids[2];
  await user.press("#answers .answer", "Enter", 2);
  const now = await user.answered({ like: of });
  const expected = moreLike(packed, of, { limit: 10 });
  assert.deepEqual(now.ids, ids(expected));
  assert.ok(!now.ids.includes(of));
  const [word] = packed.get(of).words;
  assert.equal(now.about, `10 of 5,000 texts, like ${word}`);
  sameFigures(now, expected);
  assert.deepEqual(now.places, before.places, "nothing moves");
  assert.equal(now.focused, "answer");
  assert.equal(await user.evaluate(() => query.value), QUESTION);
  assert.equal(await user.evaluate(() => new URLSearchParams(location.hash.slice(1)).get("like")), of);

  await user.press("[data-kind=verb]", " ");
  const verbs = await user.answered({ like: of, kinds: "verb" });
  assert.deepEqual(verbs.ids, ids(moreLike(packed, of, { limit: 10, where: { pos: "verb" } })));
  await user.press("[data-kind=verb]", " ");
  await user.answered({ like: of, kinds: "" });

  await user.press("#back", "Enter");
  assert.deepEqual((await user.answered({ question: QUESTION, like: "" })).ids, before.ids);
  await user.evaluate(() => history.back());
  await user.answered({ like: of });
  await user.evaluate(() => history.back());
  assert.deepEqual((await user.answered({ like: "" })).ids, before.ids);
}

async function checkDelete(user, { packed, ids, find }) {
  const live = await packed.thaw();
  const before = await user.answered({ like: "", kinds: "", form: "packed" });
  const word = (id) => packed.get(id).words[0];

  // By its key: the next one takes its place, and the focus.
  const third = before.ids[2];
  await user.press("#answers .answer", "Delete", 2);
  await user.until("#deleted.shown");
  let now = await user.answered({ form: "live" });
  live.delete(third);
  assert.deepEqual(now.ids, ids(find(live)));
  assert.deepEqual(now.ids.slice(0, 9), before.ids.filter((id) => id !== third));
  assert.equal(now.ids.length, 10);
  assert.equal(now.toast, `Deleted: ${word(third)}.`);
  assert.equal(now.figures.count, "4,999");
  assert.equal(now.figures.deleted, "1");
  assert.equal(now.counts[0], "3,029");
  assert.deepEqual(now.places, before.places, "nothing moves");
  assert.equal(await user.evaluate((id) => document.activeElement.closest("li").dataset.id === id, now.ids[2]), true);

  // Until it is packed the live index answers, and then the packed one the same.
  const repacked = await user.answered({ form: "packed" });
  assert.deepEqual(repacked.ids, now.ids);
  assert.equal(repacked.figures.distances, number(find(await live.pack()).distances));

  // By its button, over and over: more than were shown, and still ten.
  const taken = [third];
  while (taken.length < TAKEN) {
    const [first] = (await user.state()).ids;
    await user.press("#answers .delete", "Enter");
    await user.until(`#answers:not(:has([data-id="${first}"])) li:nth-child(10)`);
    live.delete(first);
    taken.push(first);
  }
  now = await user.answered({ form: "live" });
  assert.deepEqual(now.ids, ids(find(live)));
  assert.ok(!before.ids.some((id) => now.ids.includes(id)));
  assert.equal(now.toast, `Deleted: ${word(taken.at(-1))}, and ${TAKEN - 1} before.`);
  assert.equal(now.figures.count, number(COUNT - TAKEN));
  assert.equal(now.figures.deleted, String(TAKEN));
  assert.equal(now.focused, "delete");

  // They stay away: from what is like one of the others, too.
  await user.press("#answers .answer", "Enter");
  const alike = await user.answered({ like: now.ids[0] });
  assert.deepEqual(alike.ids, ids(moreLike(live, now.ids[0], { limit: 10 })));
  assert.ok(!taken.some((id) => alike.ids.includes(id)));
  await user.press("#back", "Enter");
  await user.answered({ like: "", question: QUESTION });

  // An address may ask for more like one that is gone.
  await user.evaluate((id) => (location.hash = `#like=${id}`), third);
  const gone = await user.answered({ like: third, form: "" });
  assert.deepEqual(gone.ids, []);
  assert.equal(gone.about, "That text is not in the index any more.");
  await user.evaluate(() => history.back());
  await user.answered({ like: "", question: QUESTION });

  // Back come all, the last first: by the button, and by the key.
  for (let left = TAKEN; left > 0; left--) {
    if (left % 2 === 0) await user.press("#deleted .undo", "Enter");
    else await user.control("z");
    await user.until(`#answers [data-id="${taken[left - 1]}"] .answer:focus`);
    assert.equal((await user.state()).figures.deleted, String(left - 1));
  }
  now = await user.answered({ form: "packed" });
  assert.deepEqual(now.ids, before.ids);
  assert.equal(now.figures.count, "5,000");
  assert.equal(now.toast, undefined);
  assert.deepEqual(now.counts, before.counts);
}
