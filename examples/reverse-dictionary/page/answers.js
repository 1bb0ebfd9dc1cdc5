// SPDX-License-Identifier: Apache-2.0
// The list of answers. Each is a button, whose press asks for what is like it,
// and beside it one that deletes it.
import { OWN } from "../texts.js";

export function showAnswers(list, note, { answers = [], leftOut = [], strange = [] } = {}) {
  const giveFocus = focusIn(list);
  list.replaceChildren(...answers.map((answer) => item(answer, strange.includes(answer.id))));
  giveFocus();
  note.textContent =
    leftOut.length > 0 ? `Left out, because you used the word: ${leftOut.join(", ")}.` : "";
}

// A function that gives the focus back to the button that has it now: of the same
// answer, or where that is gone, of the one in its place.
function focusIn(list) {
  const button = document.activeElement;
  const before = button.closest("li");
  if (before?.parentElement !== list) return () => {};
  const at = [...list.children].indexOf(before);
  const { id } = before.dataset;
  return () => {
    const items = [...list.children];
    const now = items.find((li) => li.dataset.id === id) ?? items[at] ?? items.at(-1);
    now?.querySelector(`.${button.className}`).focus({ preventScroll: true });
  };
}

// `strange`: all bits would not have given this answer.
function item({ id, score, document: { words = [id], pos, gloss, example } }, strange) {
  const answer = element("button", "answer");
  answer.type = "button";

  const head = element("span", pos === OWN ? "head line" : "head");
  head.append(element("span", "word", words[0]));
  if (words.length > 1) head.append(element("span", "synonyms", `, ${words.slice(1).join(", ")}`));
  head.append(" ", element("span", "pos", pos));
  if (strange) head.append(" ", element("span", "strange", "not by all 8 bits"));

  const figure = element("span", "score", score.toFixed(2));
  figure.prepend(element("span", "visually-hidden", "score "));
  const meter = element("span", "meter");
  meter.style.setProperty("--score", Math.max(0, score));
  figure.append(meter);

  const meaning = element("span", "gloss", gloss);
  if (example) meaning.append(" ", element("q", "example", example));
  meaning.append(" ", element("span", "more", "More like this"));
  answer.append(head, " ", figure, " ", meaning);

  const remove = element("button", "delete", "×");
  remove.type = "button";
  remove.title = "Delete";
  remove.setAttribute("aria-label", `Delete ${words[0]}`);

  const li = document.createElement("li");
  Object.assign(li.dataset, { id, word: words[0] });
  li.append(answer, remove);
  return li;
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
