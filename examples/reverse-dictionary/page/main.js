// SPDX-License-Identifier: Apache-2.0
// The page: what is typed goes to the worker, what comes back is shown.
import { proxy, wrap } from "comlink";
import { describe, speak } from "./about.js";
import { fromAddress, toAddress } from "./address.js";
import { showAnswers } from "./answers.js";
import { deleted } from "./deleted.js";
import { explain } from "./explain.js";
import { showFigures } from "./figures.js";
import { bytes, milliseconds, number } from "./format.js";
import { kinds } from "./kinds.js";
import { packing } from "./packing.js";
import { precision } from "./precision.js";
import { OWN } from "../texts.js";
import { STOPS } from "../precision.js";

const LIMIT = 10;
const PACK_AFTER = 3000; // milliseconds without a change or a question
const $ = (id) => document.getElementById(id);
const query = $("query");
const panel = precision($("bits"), $("stops"), $("bits-note"), search);
const switches = kinds($("kinds"), search);
const found = explain($("explain"), $("plan"), search);
const forms = packing($("forms"));
const bin = deleted($("deleted"), takeBack);
let ready = false;
let like; // the id of the text whose like is wanted; else the words in the box are

// --- Loading ------------------------------------------------------------------

async function start() {
  const worker = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  const broken = new Promise((_, reject) => {
    worker.onerror = (event) => {
      reject(new Error(event.message ?? "The worker could not be started."));
    };
  });
  const engine = wrap(worker);
  const loaded = engine.load(document.baseURI, proxy(showLoading));
  const took = await Promise.race([loaded, broken]);
  $("loading").hidden = true;
  showIndex(took);
  $("offline").textContent =
    `Encoder and dictionary, ${bytes(took.loaded)}, loaded in ${milliseconds(took.milliseconds)}. ` +
    "Nothing more is fetched: from here on the page works without a network.";
  return engine;
}

function showLoading({ done, total }) {
  $("load-bar").max = total;
  $("load-bar").value = done;
  $("load-label").textContent =
    done < total
      ? `Loading the encoder and the dictionary: ${bytes(done)} of ${bytes(total)}`
      : "Starting the encoder";
}

function fail(error) {
  $("loading").hidden = true;
  $("error").hidden = false;
  $("error").textContent =
    `${error.message} Reload the page to try again; if its files are missing, ` +
    "bash examples/run writes them.";
}

// --- Searching ------------------------------------------------------------------

// One search at a time: while the encoder works, only the latest question
// waits, and the answer to an earlier one is dropped.
let wanted;
let searching = false;

async function search() {
  wanted = {
    text: query.value.trim(), like, kinds: switches.chosen, plan: found.plan, stop: panel.stop,
  };
  history.replaceState(null, "", toAddress(wanted));
  if (packLater) packSoon();
  if (!ready || searching) return;
  searching = true;
  let result;
  try {
    for (let asked; asked !== wanted; ) {
      asked = wanted;
      const isQuestion = asked.text || asked.like !== undefined;
      result = isQuestion ? await engine.search(asked, { limit: LIMIT, ...asked }) : undefined;
      if (asked === wanted) show(asked, result);
    }
  } catch (error) {
    fail(error);
  } finally {
    searching = false;
  }
  if (result?.form) setTimeout(time, 400, wanted, result.form);
}

// Times every stop of the index that was asked, and the chosen one of the live
// index, seven times in turn, when the typing has paused and for as long as nothing
// new is asked; the medians are shown.
async function time(asked, form) {
  const runs = [...STOPS.keys()].map((stop) => [stop, form]);
  runs.push([asked.stop, "live"]);
  const times = runs.map(() => []);
  for (let round = 0; round < 7; round++) {
    for (const [i, [stop, form]] of runs.entries()) {
      if (asked !== wanted) return;
      times[i].push(await engine.time(stop, form));
    }
  }
  if (asked !== wanted) return;
  const medians = times.map((list) => list.sort((a, b) => a - b)[3]);
  const ofLive = { time: medians.pop() };
  panel.showTimes(medians);
  showFigures($("figures"), { searching: medians[asked.stop] });
  forms.show(form === "live" ? { live: ofLive } : { packed: { time: medians[asked.stop] }, live: ofLive });
}

let shown;
let afterwards; // what else is to be done once the answers are there
function show(asked, result) {
  const isMove = shown?.text === asked.text && shown.like === asked.like && `${shown.kinds}` === `${asked.kinds}`;
  shown = asked;
  const { text, like = "", kinds, plan, stop } = asked;
  Object.assign($("answers").dataset, { question: text, like, kinds, plan, stop, form: result?.form ?? "" });
  $("about").textContent = describe(asked, result);
  $("back").hidden = asked.like === undefined;
  showAnswers($("answers"), $("left-out"), result);
  if (result?.form) {
    showFigures($("figures"), result);
    forms.show(result.forms);
    found.show(result);
    if (!isMove) panel.showTimes([]);
    panel.show(result);
  }
  announce(result);
  afterwards?.();
  afterwards = undefined;
}

// A screen reader hears of the answers when the typing has paused.
let pause;
function announce(result) {
  clearTimeout(pause);
  pause = setTimeout(() => ($("announce").textContent = speak(result)), 700);
}

// back returns to what was asked before
function ask(question) {
  history.pushState(null, "", location.href);
  query.value = question.text ?? query.value;
  like = question.like;
  search();
}

function askWords(text) {
  ask({ text });
  query.focus();
}

function askLike(id) {
  afterwards = () => {
    $("answers").querySelector("button")?.focus({ preventScroll: true });
    $("about").scrollIntoView({ block: "nearest" });
  };
  ask({ like: id });
}

query.addEventListener("input", () => {
  like = undefined;
  search();
});
$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  like = undefined;
  search();
});
for (const button of document.querySelectorAll(".try")) {
  button.addEventListener("click", () => askWords(button.textContent));
}
$("back").addEventListener("click", () => askWords(query.value));
addEventListener("hashchange", () => {
  takeAddress();
  search();
});

function takeAddress() {
  const question = fromAddress();
  query.value = question.text;
  like = question.like;
}

// --- Keys -----------------------------------------------------------------------

// Up and down walk from the box through the answers; choosing one asks for more
// like it, Delete deletes it.
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("#query, textarea");
  const modified = event.ctrlKey || event.metaKey || event.altKey;
  if (event.key === "/" && !typing && !modified) {
    event.preventDefault();
    query.focus();
    query.select();
    return;
  }
  if (event.key === "z" && !typing && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    bin.takeBack();
    return;
  }
  const answer = event.target.closest("#answers li");
  if (["Delete", "Backspace"].includes(event.key) && answer && !modified) {
    remove(answer);
    return;
  }
  const stops = [query, ...$("answers").querySelectorAll(".answer")];
  const at = stops.indexOf(answer?.querySelector(".answer") ?? event.target);
  if (at < 0) return;
  const to = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    Home: at > 0 ? 1 : at,
    End: at > 0 ? stops.length - 1 : at,
    Escape: 0,
  }[event.key];
  if (to === undefined || to === at || !stops[to]) return;
  event.preventDefault();
  stops[to].focus();
});
$("answers").addEventListener("click", (event) => {
  const button = event.target.closest("button");
  const answer = button?.closest("li");
  if (!answer || event.detail > 1) return; // a double click is meant for one answer
  if (button.matches(".delete")) remove(answer);
  else askLike(answer.dataset.id);
});

// --- Change ---------------------------------------------------------------------

// What the index is like, after it changed.
function showIndex(result) {
  showFigures($("figures"), result);
  forms.show(result.forms);
  switches.count(result.counts);
}

let removing = false;
async function remove({ dataset: { id, word } }) {
  if (removing) return;
  removing = true;
  try {
    showIndex(await engine.delete(id));
    bin.push(id, word);
    packSoon();
    search();
  } catch (error) {
    fail(error);
  } finally {
    removing = false;
  }
}

// Where it is among the answers again it gets the focus, else the box.
async function takeBack(id) {
  try {
    showIndex(await engine.takeBack(id));
    packSoon();
    afterwards = () => {
      const back = [...$("answers").children].find((answer) => answer.dataset.id === id);
      (back?.querySelector(".answer") ?? query).focus();
    };
    search();
  } catch (error) {
    fail(error);
  }
}

// Packing takes longer than a search, so it waits until nobody does.
let packLater;
function packSoon() {
  clearTimeout(packLater);
  packLater = setTimeout(async () => {
    packLater = undefined;
    try {
      showIndex(await engine.pack());
      search();
    } catch (error) {
      fail(error);
    }
  }, PACK_AFTER);
}

// --- Precision ------------------------------------------------------------------

// The slider stands beside the answers, or where there is no room for that,
// folded, between question and answers.
const narrow = matchMedia("(max-width: 52rem)");
function place() {
  $("precision").open = !narrow.matches;
  if (narrow.matches) $("search").after($("precision"));
  else $("packing").before($("precision"));
}
narrow.addEventListener("change", place);
place();

// --- Your own lines -------------------------------------------------------------

$("own").addEventListener("submit", async (event) => {
  event.preventDefault();
  const lines = $("lines").value.split("\n").map((line) => line.trim()).filter(Boolean);
  if (!ready || lines.length === 0) return;
  $("add").disabled = true;
  $("added").textContent = "";
  $("indexing").hidden = false;
  try {
    const result = await engine.add(lines, proxy(showIndexing));
    $("added").textContent =
      result.added > 0
        ? `Added ${number(result.added)}. The index holds ${number(result.count)} texts now.`
        : "These lines are in the index already.";
    showIndex(result);
    if (result.added > 0) packSoon();
    switches.choose(OWN);
    search();
  } catch (error) {
    $("added").textContent = `Not added: ${error.message}`;
  } finally {
    $("indexing").hidden = true;
    $("add").disabled = false;
  }
});

function showIndexing({ done, total }) {
  $("index-bar").max = total || 1;
  $("index-bar").value = done;
  $("index-label").textContent = `Indexing: ${number(done)} of ${number(total)}`;
}

// --- Start ----------------------------------------------------------------------

takeAddress();
showFigures($("figures"), {});
let engine;
try {
  engine = await start();
  ready = true;
  document.documentElement.dataset.ready = "";
  search();
} catch (error) {
  fail(error);
}
