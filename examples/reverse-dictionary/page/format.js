// SPDX-License-Identifier: Apache-2.0
export const number = (value) => value.toLocaleString("en");

export function bytes(value) {
  if (value < 1e3) return `${value} B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(value < 1e4 ? 1 : 0)} kB`;
  return `${(value / 1e6).toFixed(1)} MB`;
}

export const digits = (value) => value.toFixed(value < 1 ? 2 : value < 10 ? 1 : 0);

export const milliseconds = (value) =>
  value < 1e3 ? `${digits(value)} ms` : `${(value / 1e3).toFixed(1)} s`;
