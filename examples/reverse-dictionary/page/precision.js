// SPDX-License-Identifier: Apache-2.0
// The slider for precision, and under each of its stops what the last question
// takes there: bytes, answers in common with all bits, time.
import { STOPS } from "../precision.js";
import { bytes, digits } from "./format.js";
import { cell, part } from "./table.js";

const ROWS = [
  { field: "bytes", bar: true, title: () => "Bytes read", text: bytes },
  { field: "same", bar: true, title: (of) => `The same answers as all 8 bits, of ${of}`, text: String },
  { field: "time", bar: false, title: () => "Milliseconds", text: digits },
];

// `onMove` is called with the stop. The cells are known by data-field and
// data-stop.
export function precision(slider, table, note, onMove) {
  const known = STOPS.map(() => ({}));
  let of = 10;

  function draw() {
    const chosen = slider.valueAsNumber;
    table.replaceChildren(part("thead", row(STOPS.map(({ name }) => cell("th", name)), chosen)));
    for (const { field, bar, title, text } of ROWS) {
      const most = Math.max(...known.map((stop) => stop[field] ?? 0));
      const head = cell("th", title(of), "rowgroup");
      head.colSpan = STOPS.length;
      const cells = known.map((stop, i) => {
        const value = stop[field];
        const td = cell("td", value === undefined ? "–" : text(value));
        if (bar) td.prepend(barOf(most > 0 ? (value ?? 0) / most : 0));
        Object.assign(td.dataset, { field, stop: i });
        return td;
      });
      table.append(part("tbody", row([head]), row(cells, chosen)));
    }
    slider.setAttribute("aria-valuetext", STOPS[chosen].name.replace(" →", ", then"));
  }

  slider.max = STOPS.length - 1;
  slider.addEventListener("input", () => {
    draw();
    onMove();
  });
  draw();

  return {
    get stop() {
      return slider.valueAsNumber;
    },
    // What a search told of every stop.
    show({ stops, answers, missed, refined }) {
      of = answers.length;
      stops.forEach((stop, i) => Object.assign(known[i], stop));
      note.textContent = described(STOPS[slider.valueAsNumber], refined, missed);
      draw();
    },
    showTimes(times) {
      known.forEach((stop, i) => (stop.time = times[i]));
      draw();
    },
  };
}

function described({ planes }, refined, missed) {
  const read =
    planes === 0 ? `1 bit of each number, then all 8 of the ${refined} nearest texts.`
    : planes === 1 ? "The highest bit of each number, and no more."
    : planes < 8 ? `The highest ${planes} bits of each number, and no more.`
    : "All there is of each number.";
  return missed.length > 0 ? `${read} It misses: ${missed.join(", ")}.` : read;
}

function barOf(share) {
  const made = document.createElement("span");
  made.className = "bar";
  made.style.setProperty("--share", share);
  return made;
}

function row(cells, chosen) {
  const tr = part("tr", ...cells);
  cells[chosen]?.classList.add("chosen");
  return tr;
}
