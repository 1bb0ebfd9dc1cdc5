// SPDX-License-Identifier: Apache-2.0
// The list of answers. Each is a button, whose press asks for what is like it.

export function showAnswers(list, note, { answers = [], leftOut = [], strange = [] } = {}) {
  list.replaceChildren(...answers.map((answer) => item(answer, strange.includes(answer.id))));
  note.textContent =
    leftOut.length > 0 ? `Left out, because you used the word: ${leftOut.join(", ")}.` : "";
}

// `strange`: all bits would not have given this answer.
function item({ id, score, document: { words = [id], pos, gloss, example, own } }, strange) {
  const button = element("button", "answer");
  button.type = "button";
  button.dataset.text = gloss ?? id;

  const head = element("span", own ? "head line" : "head");
  head.append(element("span", "word", words[0]));
  if (words.length > 1) head.append(element("span", "synonyms", `, ${words.slice(1).join(", ")}`));
  head.append(" ", element("span", "pos", own ? "your line" : pos));
  if (strange) head.append(" ", element("span", "strange", "not by all 8 bits"));

  const figure = element("span", "score", score.toFixed(2));
  figure.prepend(element("span", "visually-hidden", "score "));
  const meter = element("span", "meter");
  meter.style.setProperty("--score", Math.max(0, score));
  figure.append(meter);

  button.append(head, " ", figure);
  if (gloss) {
    const meaning = element("span", "gloss", gloss);
    if (example) meaning.append(" ", element("q", "example", example));
    button.append(" ", meaning);
  }
  const li = document.createElement("li");
  li.append(button);
  return li;
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}
