// SPDX-License-Identifier: Apache-2.0
/** The simd twin, as characters. build.mjs writes dist/simd.js. */
export declare const packed: string;
