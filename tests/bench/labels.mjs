// SPDX-License-Identifier: Apache-2.0
// Labels beside dots: each takes, of 24 places around its dot, the one that
// covers least; a few rounds, since a later label may want an earlier one moved.

const rounds = 6;
const directions = [
  [1, 0], [-1, 0], [0, -1], [0, 1], [0.8, -0.8], [-0.8, -0.8], [0.8, 0.8], [-0.8, 0.8],
];
const distances = [6, 12, 20];
const characterWidth = 6.1;

/** How much of the one box is inside the other. */
function overlap(a, b) {
  const wide = Math.min(a.x + a.width, b.x + b.width) - Math.max(a.x, b.x);
  const high = Math.min(a.y + a.height, b.y + b.height) - Math.max(a.y, b.y);
  return wide > 0 && high > 0 ? wide * high : 0;
}

/** Whether a line from one point to another passes through a box. */
function crosses([[x0, y0], [x1, y1]], box) {
  let [from, to] = [0, 1];
  for (const [start, step, low, high] of [
    [x0, x1 - x0, box.x, box.x + box.width],
    [y0, y1 - y0, box.y, box.y + box.height],
  ]) {
    if (step === 0 && (start < low || start > high)) return false;
    if (step === 0) continue;
    const [a, b] = [(low - start) / step, (high - start) / step];
    from = Math.max(from, Math.min(a, b));
    to = Math.min(to, Math.max(a, b));
  }
  return from < to;
}

function placesFor({ point: [x, y], text }, height) {
  const width = text.length * characterWidth;
  return distances.flatMap((distance) =>
    directions.map(([right, down], i) => ({
      x: x + right * distance - (width * (1 - Math.sign(right))) / 2,
      y: y + down * distance - (height * (1 - Math.sign(down))) / 2,
      width, height, effort: i + distance,
    })));
}

/** The labels with a `box` each. */
export function placeLabels(labels, { dots, lines, width, height, labelHeight }) {
  const marks = dots.map(({ point: [x, y] }) => ({ x: x - 4, y: y - 4, width: 8, height: 8 }));
  const area = { x: -4, y: -8, width: width + 12, height: height + 12 };
  const placed = labels.map((label) => ({ ...label, box: undefined }));
  const cost = (box, self) =>
    box.effort
    + 20 * placed.reduce((sum, other) => sum + (other === self || !other.box ? 0 : overlap(box, other.box)), 0)
    + 10 * marks.reduce((sum, mark) => sum + overlap(box, mark), 0)
    + 25 * lines.filter((line) => crosses(line, box)).length
    + 20 * (box.width * box.height - overlap(box, area));
  for (let round = 0; round < rounds; round++) {
    for (const label of placed) {
      const costs = placesFor(label, labelHeight).map((box) => [cost(box, label), box]);
      label.box = costs.reduce((best, next) => (next[0] < best[0] ? next : best))[1];
    }
  }
  return placed;
}
