// SPDX-License-Identifier: Apache-2.0
// The kinds of texts: parts of speech, and the user's own lines. Each is a
// switch; with none on, all kinds are searched.
import { OWN, PARTS } from "../texts.js";
import { number } from "./format.js";

// `onChange` is called when a switch was pressed.
export function kinds(list, onChange) {
  const switches = new Map([...PARTS, OWN].map((kind) => [kind, makeSwitch(kind)]));
  list.replaceChildren(
    ...[...switches.values()].map((button) => {
      const li = document.createElement("li");
      li.append(button);
      return li;
    }),
  );
  list.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    set(button, !isOn(button));
    onChange();
  });

  return {
    get chosen() {
      return [...switches.keys()].filter((kind) => isOn(switches.get(kind)));
    },
    // One kind alone.
    choose(only) {
      for (const [kind, button] of switches) set(button, kind === only);
    },
    // How many texts of each kind the index holds: { noun: 3030, … }. A kind
    // that is on can always be turned off.
    count(counts) {
      for (const [kind, button] of switches) {
        button.querySelector(".count").textContent = number(counts[kind]);
        button.disabled = counts[kind] === 0 && !isOn(button);
      }
    },
  };
}

const isOn = (button) => button.getAttribute("aria-pressed") === "true";
const set = (button, on) => button.setAttribute("aria-pressed", on);

function makeSwitch(kind) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "kind";
  button.dataset.kind = kind;
  button.disabled = true; // until it is counted
  set(button, false);
  const count = document.createElement("span");
  count.className = "count";
  button.append(kind === OWN ? "your lines" : kind, " ", count);
  return button;
}
