// SPDX-License-Identifier: Apache-2.0
/** The simd twin, deflated and in base64. build.mjs writes dist/simd.js. */
export declare const packed: string;
