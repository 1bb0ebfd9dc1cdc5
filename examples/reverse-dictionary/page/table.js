// SPDX-License-Identifier: Apache-2.0
// Parts of tables.

export function part(name, ...rows) {
  const made = document.createElement(name);
  made.append(...rows);
  return made;
}

export function cell(name, text, scope = "col") {
  const made = document.createElement(name);
  made.textContent = text;
  if (name === "th") made.scope = scope;
  return made;
}

// Fills a dl with rows of [label, name of the figure, text]; what is undefined is
// shown as a dash, so that nothing moves when it comes.
export function pairs(list, rows) {
  list.replaceChildren(
    ...rows.map(([label, name, text]) => {
      const dd = document.createElement("dd");
      dd.dataset.figure = name;
      dd.textContent = text ?? "–";
      const dt = document.createElement("dt");
      dt.textContent = label;
      return part("div", dt, dd);
    }),
  );
}
