// SPDX-License-Identifier: Apache-2.0
// XXH32 (core/FORMAT.md, 9), from the xxHash specification, seed 0.

export function xxh32(bytes) {
  const [p1, p2, p3, p4, p5] = [
    0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1,
  ];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const rotate = (x, n) => (x << n) | (x >>> (32 - n));
  const round = (lane, word) =>
    Math.imul(rotate((lane + Math.imul(word, p2)) | 0, 13), p1);
  let at = 0;
  let hash = p5;
  if (bytes.length >= 16) {
    let lanes = [p1 + p2, p2, 0, -p1];
    for (; at + 16 <= bytes.length; at += 16) {
      lanes = lanes.map((x, i) => round(x, view.getUint32(at + 4 * i, true)));
    }
    hash = [1, 7, 12, 18].reduce((sum, n, i) => sum + rotate(lanes[i], n), 0);
  }
  hash = (hash + bytes.length) | 0;
  for (; at + 4 <= bytes.length; at += 4) {
    const word = Math.imul(view.getUint32(at, true), p3);
    hash = Math.imul(rotate((hash + word) | 0, 17), p4);
  }
  for (; at < bytes.length; at++) {
    hash = Math.imul(rotate((hash + Math.imul(bytes[at], p5)) | 0, 11), p1);
  }
  hash = Math.imul(hash ^ (hash >>> 15), p2);
  hash = Math.imul(hash ^ (hash >>> 13), p3);
  return (hash ^ (hash >>> 16)) >>> 0;
}
