// SPDX-License-Identifier: Apache-2.0
// What a search did, and the same in words.
import { PLANS } from "./check.js";
import { REPORT } from "./instance.js";
import type { Instance } from "./instance.js";
import type { Explanation, Reason, SearchResult, SearchStats } from "./query.js";

/** mn_plan_reason, and what it says. */
const REASONS: readonly (readonly [Reason, string])[] = [
  ["no-graph", "there is no graph to walk"],
  ["forced", "it was asked for"],
  ["all", "there are no conditions"],
  ["few", "comparing the vectors that match takes least"],
  ["sparse", "most links lead to vectors that do not match"],
  ["dense", "enough links lead to vectors that match"],
];

/** What the last search of an instance did. */
export function readStats(instance: Instance): SearchStats {
  return {
    distances: instance.long(REPORT.statsDistances),
    bytes: instance.long(REPORT.statsBytes),
    refineBytes: instance.long(REPORT.statsRefineBytes),
    hops: instance.number(REPORT.statsHops),
    probed: instance.number(REPORT.statsProbed),
    exact: instance.number(REPORT.statsExact) === 1,
    refined: instance.number(REPORT.statsRefined),
    planes: instance.number(REPORT.statsPlanes),
    plan: PLANS[instance.number(REPORT.statsPlan)] as SearchStats["plan"],
    reason: REASONS[instance.number(REPORT.statsReason) - 1]![0],
    matches: instance.number(REPORT.statsMatches),
    cut: (instance.number(REPORT.statsCut) & 1) === 1,
    fellBack: instance.number(REPORT.statsFellBack) === 1,
  };
}

/** The same of a search among `size` vectors, and in words. */
export function explained({ keys, stats }: SearchResult, size: number): Explanation {
  const { plan, reason, matches, exact, cut, fellBack, distances, hops, probed, planes, refined } = stats;
  const share = size > 0 ? `, ${((100 * matches) / size).toPrecision(3)} %` : "";
  const lines = [
    ["plan", `${plan}: ${why(stats)}`],
    ["matches", reason === "all" ? `all ${size}` : `${matches} of ${size}${share}`],
    ["distances", `${distances}${planes ? `, by ${planes} of each number's bits` : ""}, over ${bytes(stats.bytes - stats.refineBytes)} of codes`],
    ["hops", hops ? `${hops} vectors' links` : ""],
    ["lists", probed ? `${probed} scanned` : ""],
    ["refined", refined ? `${refined} candidates, over ${bytes(stats.refineBytes)}` : ""],
    ["exact", exact ? "yes: every match was compared" : "no"],
    ["fell back", fellBack ? "the walk found too few or took too long, so the matches were scanned" : ""],
    ["cut", cut ? "the budget ended it: there may be nearer vectors" : ""],
    ["hits", `${keys.length}`],
  ];
  const text = lines.filter(([, says]) => says).map(([what, says]) => `${what!.padEnd(10)}${says}`).join("\n");
  return { ...stats, hits: keys.length, text };
}

function why({ plan, reason }: SearchStats): string {
  if (plan === "probe" && reason === "dense") return "more vectors match than a search compares";
  return REASONS.find(([name]) => name === reason)![1];
}

function bytes(count: number): string {
  if (count < 1e4) return `${count} bytes`;
  return count < 1e7 ? `${Math.round(count / 1e3)} KB` : `${Math.round(count / 1e6)} MB`;
}
