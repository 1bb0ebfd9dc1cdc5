// SPDX-License-Identifier: Apache-2.0
// The page: what is typed goes to the worker, what comes back is shown.
import { proxy, wrap } from "comlink";
import { showAnswers } from "./answers.js";
import { showFigures } from "./figures.js";
import { bytes, milliseconds, number } from "./format.js";
import { FORMS, packing } from "./packing.js";
import { precision } from "./precision.js";
import { STOPS } from "../precision.js";

const LIMIT = 10;
const $ = (id) => document.getElementById(id);
const query = $("query");
const panel = precision($("bits"), $("stops"), $("bits-note"), search);
const forms = packing($("forms"));
let ready = false;

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
  showFigures($("figures"), took);
  forms.show(took.forms);
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
  const text = query.value.trim();
  wanted = { text, where: $("only").checked ? { own: true } : undefined, stop: panel.stop };
  history.replaceState(null, "", text ? `#${new URLSearchParams({ q: text })}` : location.pathname);
  if (!ready || searching) return;
  searching = true;
  try {
    for (let asked; asked !== wanted; ) {
      asked = wanted;
      const { text, where, stop } = asked;
      const result = text ? await engine.search(text, { limit: LIMIT, where, stop }) : undefined;
      if (asked === wanted) show(asked, result);
    }
  } catch (error) {
    fail(error);
  } finally {
    searching = false;
  }
  if (wanted.text) setTimeout(time, 400, wanted);
}

// Times every stop of the packed index, and the chosen one of the live index,
// seven times in turn, when the typing has paused and for as long as nothing new
// is asked; the medians are shown.
async function time(asked) {
  const [packed, live] = FORMS;
  const runs = [...STOPS.keys()].map((stop) => [stop, packed]);
  runs.push([asked.stop, live]);
  const times = runs.map(() => []);
  for (let round = 0; round < 7; round++) {
    for (const [i, [stop, form]] of runs.entries()) {
      if (asked !== wanted) return;
      times[i].push(await engine.time(stop, form));
    }
  }
  const medians = times.map((list) => list.sort((a, b) => a - b)[3]);
  const ofLive = medians.pop();
  panel.showTimes(medians);
  showFigures($("figures"), { searching: medians[asked.stop] });
  forms.show({ packed: { time: medians[asked.stop] }, live: { time: ofLive } });
}

let shown;
function show(asked, result) {
  const isMove = shown?.text === asked.text && shown.where?.own === asked.where?.own;
  shown = asked;
  Object.assign($("answers").dataset, { question: asked.text, stop: asked.stop });
  showAnswers($("answers"), $("left-out"), result);
  if (result) {
    showFigures($("figures"), result);
    forms.show(result.forms);
    if (!isMove) panel.showTimes([]);
    panel.show(result);
  }
  announce(result);
}

// A screen reader hears of the answers when the typing has paused.
let pause;
function announce(result) {
  clearTimeout(pause);
  pause = setTimeout(() => {
    const best = result?.answers[0];
    const missed = result?.missed.length;
    $("announce").textContent = best
      ? `${result.answers.length} definitions. Closest: ${best.document.words?.join(", ") ?? best.id}.` +
        (missed > 0 ? ` All 8 bits would give ${missed} others.` : "")
      : "";
  }, 700);
}

function ask(text) {
  history.pushState(null, "", location.href); // back returns to what was asked before
  query.value = text;
  query.focus();
  search();
}

query.addEventListener("input", search);
$("search").addEventListener("submit", (event) => {
  event.preventDefault();
  search();
});
for (const button of document.querySelectorAll(".try")) {
  button.addEventListener("click", () => ask(button.textContent));
}
addEventListener("hashchange", () => {
  query.value = fromHash();
  search();
});
const fromHash = () => new URLSearchParams(location.hash.slice(1)).get("q") ?? "";

// --- Keys -----------------------------------------------------------------------

// Up and down walk from the box through the answers; choosing one asks for
// what is close to its definition.
document.addEventListener("keydown", (event) => {
  const typing = event.target.matches("#query, textarea");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    query.focus();
    query.select();
    return;
  }
  const stops = [query, ...$("answers").querySelectorAll("button")];
  const at = stops.indexOf(event.target);
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
  const answer = event.target.closest("button");
  if (answer) ask(answer.dataset.text);
});

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
    showFigures($("figures"), result);
    forms.show(result.forms);
    $("only").disabled = false;
    $("only").checked = true;
    search();
  } catch (error) {
    $("added").textContent = `Not added: ${error.message}`;
  } finally {
    $("indexing").hidden = true;
    $("add").disabled = false;
  }
});

$("only").addEventListener("change", search);

function showIndexing({ done, total }) {
  $("index-bar").max = total || 1;
  $("index-bar").value = done;
  $("index-label").textContent =
    done < total ? `Indexing: ${number(done)} of ${number(total)}` : "Packing";
}

// --- Start ----------------------------------------------------------------------

query.value = fromHash();
showFigures($("figures"), {});
let engine;
try {
  engine = await start();
  ready = true;
  document.documentElement.dataset.ready = "";
  if (query.value) search();
} catch (error) {
  fail(error);
}
