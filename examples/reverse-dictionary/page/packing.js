// SPDX-License-Identifier: Apache-2.0
// The index in its two forms, side by side: packed, as it was fetched and as it
// answers, and live, as it takes changes and answers until they are packed.
import { bytes, digits, milliseconds, number } from "./format.js";
import { cell, part } from "./table.js";

export const FORMS = ["packed", "live"];

const ROWS = [
  ["Size", "blockBytes", bytes],
  ["Bytes a text", "textBytes", digits],
  ["of them links", "linkBytes", digits],
  ["A search", "time", milliseconds],
  ["Its distances", "distances", number],
];

// `show` takes an object for each form there is, with any of these fields; what is
// not told stays as it was. The cells are known by data-field and data-form.
export function packing(table) {
  const known = Object.fromEntries(FORMS.map((form) => [form, {}]));

  function draw() {
    const head = part("tr", cell("td", ""), ...FORMS.map((form) => cell("th", form)));
    const rows = ROWS.map(([label, field, text]) => {
      const cells = FORMS.map((form) => {
        const value = known[form]?.[field];
        const td = cell("td", value === undefined ? "–" : text(value));
        Object.assign(td.dataset, { field, form });
        return td;
      });
      return part("tr", cell("th", label, "row"), ...cells);
    });
    table.replaceChildren(part("thead", head), part("tbody", ...rows));
  }
  draw();

  return {
    show(forms) {
      for (const form of FORMS) known[form] = forms[form] && { ...known[form], ...forms[form] };
      draw();
    },
  };
}
