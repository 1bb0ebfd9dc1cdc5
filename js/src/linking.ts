// SPDX-License-Identifier: Apache-2.0
// Linking vectors into a graph without blocking for long.
import { told } from "./block.js";
import { REPORT } from "./instance.js";
import type { Instance } from "./instance.js";
import { inSteps } from "./pause.js";

/** MN_LINK_BATCH: vectors are linked in whole batches. */
const BATCH = 64;

/** A graph that is being linked, and whom that concerns. */
export interface Linking {
  instance: Instance;
  /** Vectors to link: whole batches. */
  total: number;
  /** Throws where it was closed or aborted. */
  check(): void;
  /** Says how many are linked. */
  tell(done: number): void;
}

/** Vectors that can be linked: the last, fewer than a batch, wait for more. */
export function linkable(instance: Instance): number {
  const waiting = told(instance, "count") - told(instance, "linked");
  return waiting - (waiting % BATCH);
}

/** Links by one thread, this one, in steps between which the event loop runs. */
export function linkInSteps({ instance, total, check, tell }: Linking): Promise<void> {
  return inSteps(BATCH, {
    check,
    step: (size) => {
      instance.check(instance.wasm.link(size));
      return instance.number(REPORT.value);
    },
    tell: (left) => tell(total - left),
  });
}
