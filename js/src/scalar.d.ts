// SPDX-License-Identifier: Apache-2.0
/** The scalar twin, as characters. build.mjs writes dist/scalar.js. */
export declare const packed: string;
