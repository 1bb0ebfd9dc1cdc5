// SPDX-License-Identifier: Apache-2.0
export const number = (value) => value.toLocaleString("en");

export const bytes = (value) =>
  value < 1e6 ? `${number(Math.round(value / 1e3))} kB` : `${(value / 1e6).toFixed(1)} MB`;

export const milliseconds = (value) =>
  value < 10 ? `${value.toFixed(1)} ms` : value < 1000 ? `${Math.round(value)} ms` : `${(value / 1e3).toFixed(1)} s`;
