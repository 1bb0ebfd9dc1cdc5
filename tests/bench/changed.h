/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a peer provides for the deletes and replacements of change.h, and the
 * main() that measures it:
 *
 *     PROGRAM PREFIX N QUERIES DIMENSIONS METRIC SPEC [FILE]
 *
 * A line of JSON after each, with the processor's microseconds a vector that
 * was deleted or replaced, and for a fresh index of the same vectors.
 */
#ifndef BENCH_CHANGED_H
#define BENCH_CHANGED_H

#include "change.h"
#include "peer_rows.h"

/* Once: the index that SPEC names will be made of some of `rows`, the set's by
 * bench_unit_rows. FILE, if not NULL, is where one of all may be kept. */
static void changed_prepare(const bench_set *set, const float *rows,
                            const char *spec, const char *file);

/* A new index of the rows that are in, in the place of the last. */
static void changed_build(const bench_change *c);

/* `count` rows are deleted, c->gone; or replaced, by c->come. */
static void changed_delete(const bench_change *c, uint32_t count);
static void changed_replace(const bench_change *c, uint32_t count);

static uint32_t changed_search(const float *query, uint32_t rows[BENCH_K],
                               uint64_t *distances);

static const float *changed_queries; /* by bench_unit_rows */

static void changed_say(const bench_change *c, const char *what, double cpu,
                        uint32_t changes) {
  bench_found found = {0, 0, 0};
  for (uint32_t q = 0; q < c->set->queries; q++) {
    uint32_t rows[BENCH_K];
    uint32_t count =
        changed_search(changed_queries + (size_t)q * c->set->dimensions, rows,
                       &found.distances);
    bench_judge(c, q, rows, count, &found);
  }
  bench_say_found(c, what, &found);
  printf(",\"changeMicros\":%.1f}\n", changes ? 1e6 * cpu / changes : 0);
  fflush(stdout);
}

static void changed_half(bench_change *c) {
  changed_build(c);
  changed_say(c, "all", 0, 0);
  uint32_t count = bench_halve(c);
  double cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID);
  changed_delete(c, count);
  cpu = bench_seconds(CLOCK_THREAD_CPUTIME_ID) - cpu;
  changed_say(c, "half", cpu, count);
  changed_build(c);
  changed_say(c, "half, fresh", 0, 0);
}

static void changed_rounds(bench_change *c) {
  uint32_t count = bench_begin_rounds(c);
  changed_build(c);
  double cpu = 0;
  for (uint32_t round = 0; round < BENCH_ROUNDS; round++) {
    bench_replace(c, count);
    cpu -= bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    changed_replace(c, count);
    cpu += bench_seconds(CLOCK_THREAD_CPUTIME_ID);
    if (bench_reports(round))
      changed_say(c, bench_reports(round), cpu, (round + 1) * count);
  }
  changed_build(c);
  changed_say(c, "a fifth, 10 times, fresh", 0, 0);
}

int main(int argc, char **argv) {
  bench_set set = bench_open(argc, argv);
  changed_queries = bench_unit_rows(&set, set.query, set.queries);
  changed_prepare(&set, bench_unit_rows(&set, set.base, set.n), argv[6],
                  argc > 7 ? argv[7] : NULL);
  bench_change c = bench_change_of(&set);
  changed_half(&c);
  changed_rounds(&c);
  return 0;
}

#endif
