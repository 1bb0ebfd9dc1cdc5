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
