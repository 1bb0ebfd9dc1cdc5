// SPDX-License-Identifier: Apache-2.0
/** The script of a linking thread. build.mjs writes the module, from thread.ts. */
export declare const source: string;
