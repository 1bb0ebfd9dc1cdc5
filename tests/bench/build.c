/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Builds an index in threads:
 *
 *     build PREFIX N QUERIES DIMENSIONS METRIC SPEC THREADS
 *
 * by mn_index_propose and mn_index_commit, and says what it took as one line of
 * JSON: seconds on the wall and of all threads' processor time, and a hash of
 * the block, which must not depend on THREADS. With 0 threads the index is
 * built by mn_index_add instead.
 */
#define _POSIX_C_SOURCE 200809L
#include "index.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS_MAX = 64 };

/* What the threads share; the barrier orders all else. */
static struct {
  const mn_index *index;
  void *proposals;
  uint32_t count;   /* of the batch; 0: there is none left */
  atomic_uint next; /* of it, to be proposed for */
  pthread_barrier_t turn;
} batch;

/* One vector at a time, since a thread may be held up. */
static void propose_some(mn_arena *scratch) {
  mn_index own = *batch.index;
  for (uint32_t i; (i = atomic_fetch_add(&batch.next, 1)) < batch.count;)
    bench_check(mn_index_propose(&own, i, i + 1, batch.proposals, scratch),
                "propose");
}

static void *help(void *context) {
  mn_arena *scratch = (mn_arena *)context;
  for (;;) {
    pthread_barrier_wait(&batch.turn); /* a batch begins */
    if (batch.count == 0)
      return NULL;
    propose_some(scratch);
    pthread_barrier_wait(&batch.turn); /* it ends */
  }
}

static void link_all(bench_index *made, uint32_t threads) {
  pthread_t helpers[THREADS_MAX];
  mn_arena scratch[THREADS_MAX];
  mn_arena proposals = bench_arena(made->sizes.proposals_bytes);
  mn_arena commit = bench_arena(made->sizes.commit_scratch_bytes);
  batch.index = &made->index;
  batch.proposals = proposals.base;
  pthread_barrier_init(&batch.turn, NULL, threads);
  for (uint32_t i = 0; i < threads; i++)
    scratch[i] = bench_arena(made->sizes.propose_scratch_bytes);
  for (uint32_t i = 1; i < threads; i++)
    if (pthread_create(helpers + i, NULL, help, scratch + i) != 0)
      bench_fail("no thread");
  for (;;) {
    batch.count = mn_index_batch(&made->index);
    atomic_store(&batch.next, 0);
    pthread_barrier_wait(&batch.turn);
    if (batch.count == 0)
      break;
    propose_some(scratch);
    pthread_barrier_wait(&batch.turn);
    bench_check(mn_index_commit(&made->index, proposals.base, &commit),
                "commit");
  }
  for (uint32_t i = 1; i < threads; i++)
    pthread_join(helpers[i], NULL);
}

static void build(bench_index *made, const mn_vectors *rows, uint32_t threads) {
  mn_arena scratch = bench_arena(made->sizes.add_scratch_bytes);
  if (threads == 0) {
    bench_check(mn_index_add(&made->index, NULL, rows, NULL, &scratch), "add");
    return;
  }
  bench_check(mn_index_append(&made->index, NULL, rows, NULL, &scratch),
              "append");
  link_all(made, threads);
}

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const mn_index *index) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < index->block_bytes; i++)
    hash = (hash ^ index->block[i]) * 0x100000001b3u;
  return hash;
}

int main(int argc, char **argv) {
  bench_set set = bench_open(argc, argv);
  uint32_t threads = argc > 7 ? (uint32_t)strtoul(argv[7], NULL, 10) : 0;
  if (threads > THREADS_MAX)
    bench_fail("too many threads");
  mn_query largest = bench_query_for(&set, MN_HNSW, BENCH_K);
  mn_vectors rows = {set.base, set.n, set.dimensions};
  bench_index made = bench_create(&set, argv[6], &largest);
  double wall = bench_seconds(CLOCK_MONOTONIC);
  double cpu = bench_seconds(CLOCK_PROCESS_CPUTIME_ID);
  build(&made, &rows, threads);
  cpu = bench_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  wall = bench_seconds(CLOCK_MONOTONIC) - wall;
  printf("{\"threads\":%u,\"wall\":%.6f,\"cpu\":%.6f,\"hash\":\"%016llx\"}\n",
         threads, wall, cpu, (unsigned long long)hash_of(&made.index));
  return 0;
}
