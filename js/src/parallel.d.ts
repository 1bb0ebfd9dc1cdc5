// SPDX-License-Identifier: Apache-2.0
/** The module of linking threads, as characters. build.mjs writes dist/parallel.js. */
export declare const packed: string;
