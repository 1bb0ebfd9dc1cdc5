// SPDX-License-Identifier: Apache-2.0
// What is said of the answers: on the page, and to a screen reader.
import { OWN } from "../texts.js";
import { number } from "./format.js";

const list = new Intl.ListFormat("en");
const plural = (kind) => (kind === OWN ? "lines of yours" : `${kind}s`);

export function describe({ kinds }, result) {
  if (!result) return "";
  if (result.gone) return "That text is not in the index any more.";
  const { answers, matches, like } = result;
  const texts = kinds.length > 0 ? list.format(kinds.map(plural)) : "texts";
  const of = `of ${number(matches)} ${texts}`;
  const found = `${answers.length === 0 ? "None" : number(answers.length)} ${of}`;
  return like ? `${found}, like ${like}` : `${found}, closest first`;
}

export function speak(result) {
  const best = result?.answers[0];
  if (!best) return "";
  const missed = result.missed.length;
  return (
    `${result.answers.length} ${result.like ? `more like ${result.like}` : "definitions"}. ` +
    `Closest: ${best.document.words?.join(", ") ?? best.id}.` +
    (missed > 0 ? ` All 8 bits would give ${missed} others.` : "")
  );
}
