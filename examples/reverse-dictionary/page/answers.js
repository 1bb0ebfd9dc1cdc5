// SPDX-License-Identifier: Apache-2.0
// The list of answers. Each is a button, whose press asks for what is like it.

export function showAnswers(list, answers) {
  list.replaceChildren(...answers.map(item));
}

function item({ id, score, document: { words, pos, gloss, own } }) {
  const button = element("button", "answer");
  button.type = "button";
  button.dataset.text = own ? id : gloss;
  const head = element("span", "head");
  head.append(element("span", own ? "line" : "words", own ? id : words.join(", ")), " ");
  head.append(element("span", "pos", own ? "your line" : pos));
  const meter = element("span", "meter");
  meter.style.setProperty("--score", Math.max(0, score));
  meter.setAttribute("aria-hidden", "true");
  const figure = element("span", "score", score.toFixed(2));
  figure.prepend(element("span", "visually-hidden", "score "));
  button.append(head, " ", figure, " ");
  if (!own) button.append(element("span", "gloss", gloss), " ");
  button.append(meter);
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
