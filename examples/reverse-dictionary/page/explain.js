// SPDX-License-Identifier: Apache-2.0
// How the last question was answered: what the index says of the search.
import { bytes, number } from "./format.js";
import { pairs } from "./table.js";

export const PLANS = {
  scan: "compare all that match",
  walk: "walk the graph",
  "two-hop": "walk matches only",
  post: "walk, then filter",
};

export const REASONS = {
  "no-graph": "there is no graph",
  forced: "you chose it",
  all: "there is no filter",
  few: "comparing them takes least",
  sparse: "too few links lead there",
  dense: "enough links lead there",
};

const bits = (count) => (count === 1 ? "1 bit" : `${count} bits`);
const yesNo = (value) => (value ? "yes" : "no");

// Label, name of the figure, and its text from what a search tells; `undefined`
// is shown as a dash, so that the panel keeps its height.
const ROWS = [
  ["Plan", "plan", ({ plan }) => PLANS[plan]],
  ["Why", "reason", ({ reason }) => REASONS[reason]],
  ["Texts that match", "matches", ({ matches, count }) => `${number(matches)} of ${number(count)}`],
  ["Distances by first bits", "distances", ({ distances }) => number(distances)],
  ["Bits of each number", "planes", ({ planes }) => bits(planes)],
  ["Ranked again by all 8", "refined", ({ refined }) => number(refined)],
  ["Bytes read", "bytes", (stats) => bytes(stats.bytes)],
  ["of them to rank again", "refineBytes", ({ refineBytes }) => bytes(refineBytes)],
  ["Hops in the graph", "hops", ({ hops }) => number(hops)],
  ["Compared with every match", "exact", ({ exact }) => yesNo(exact)],
  ["after a walk in vain", "fellBack", ({ fellBack }) => yesNo(fellBack)],
  ["Cut short", "cut", ({ cut }) => yesNo(cut)],
  ["Answers", "hits", ({ answers }) => number(answers.length)],
];

// `onPlan` is called when another plan was chosen.
export function explain(list, select, onPlan) {
  select.append(new Option("whichever takes least", "auto"));
  for (const [plan, text] of Object.entries(PLANS)) select.append(new Option(text, plan));
  select.addEventListener("change", onPlan);

  function show(result) {
    pairs(list, ROWS.map(([label, name, text]) => [label, name, result && text(result)]));
  }
  show();

  return {
    get plan() {
      return select.value;
    },
    show,
  };
}
