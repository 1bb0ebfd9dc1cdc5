// SPDX-License-Identifier: Apache-2.0
/** The scalar twin, deflated and in base64. build.mjs writes dist/scalar.js. */
export declare const packed: string;
